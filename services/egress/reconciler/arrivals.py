"""Checking what somebody may do the moment they are in: old tokens let people in with old rights."""

import asyncio
from collections.abc import Callable

import structlog

from services.egress.reconciler.repairs import Repairer
from services.egress.reconciler.rights import permission_repair
from services.egress.reconciler.sessions.service import Sessions
from services.egress.webhooks.domain import connection
from shared.clock import Clock
from shared.errors import AppError
from shared.livekit.webhook import WebhookEvent, WebhookParticipant
from shared.runtime.supervisor import run_all

log = structlog.get_logger(__name__)

_AT_ONCE = 8


class Arrivals:
    """Webhooks of joining, in the order they came; `again` has the room looked at where a check failed."""

    def __init__(self, sessions: Sessions, repairer: Repairer, clock: Clock, again: Callable[[str], None]):
        self._sessions = sessions
        self._repairer = repairer
        self._clock = clock
        self._again = again
        self._waiting: asyncio.Queue[tuple[str, WebhookParticipant]] = asyncio.Queue()

    def add(self, webhook: WebhookEvent) -> None:
        if webhook.participant is not None:
            self._waiting.put_nowait((webhook.room_name, webhook.participant))

    async def run(self) -> None:
        await run_all(*(self._work() for _ in range(_AT_ONCE)))

    async def _work(self) -> None:
        while True:
            room, participant = await self._waiting.get()
            try:
                await self.check(room, participant)
            except AppError as error:
                log.warning("arrivals.not_checked", session_id=room, code=error.code, error=error.message)
                self._again(room)

    async def check(self, room: str, participant: WebhookParticipant) -> None:
        """Correct the participant's permissions where they are not the session's. Raises `Unavailable`.

        Where that fails the room is looked at `again`.
        """
        known = await self._sessions.find(room)
        if known is None or not known.live:
            return
        joined = connection(participant, self._clock.now())
        repair = permission_repair(known.state, joined, participant.permission.permissions)
        if repair is not None and not await self._repairer.carry_out([repair]):
            self._again(room)
