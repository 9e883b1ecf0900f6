"""What a webhook triggers immediately: permission checks of who joined, and of rooms that look suspicious."""

import asyncio
from collections.abc import Callable

import structlog

from services.egress.reconciler.corrections import RoomCorrector
from services.egress.reconciler.permission_drift import permission_drift
from services.egress.reconciler.service import Reconciler
from services.egress.sessions.projection import EgressSessionProjection
from services.egress.webhooks.domain import connection
from shared.clock import Clock
from shared.errors import AppError
from shared.livekit.webhook import WebhookEvent, WebhookParticipant
from shared.runtime.tasks import run_all

log = structlog.get_logger(__name__)

_AT_ONCE = 8


class JoinChecks:
    """Checks permissions on joining, in order, for old tokens carry old permissions.

    `check_room` has a room compared if a check of its participant failed.
    """

    def __init__(
        self,
        sessions: EgressSessionProjection,
        corrector: RoomCorrector,
        clock: Clock,
        check_room: Callable[[str], None],
    ):
        self._sessions = sessions
        self._corrector = corrector
        self._clock = clock
        self._check_room = check_room
        self._waiting: asyncio.Queue[tuple[str, WebhookParticipant]] = asyncio.Queue()

    def add(self, room: str, participant: WebhookParticipant) -> None:
        self._waiting.put_nowait((room, participant))

    async def run(self) -> None:
        await run_all(*(self._work() for _ in range(_AT_ONCE)))

    async def _work(self) -> None:
        while True:
            room, participant = await self._waiting.get()
            try:
                await self.check(room, participant)
            except AppError as error:
                log.warning("join_checks.failed", session_id=room, code=error.code, error=error.message)
                self._check_room(room)

    async def check(self, room: str, participant: WebhookParticipant) -> None:
        """Correct the participant's permissions if they are not the session's. Raises `Unavailable`."""
        known = await self._sessions.find(room)
        if known is None or not known.live:
            return
        joined = connection(participant, self._clock.now())
        drift = permission_drift(known.state, joined, participant.permission.permissions)
        if drift is not None and not await self._corrector.correct([drift]):
            self._check_room(room)


class WebhookObserver:
    """What a webhook means for the reconciler, beside the event that it becomes."""

    def __init__(self, reconciler: Reconciler, join_checks: JoinChecks):
        self._reconciler = reconciler
        self._join_checks = join_checks

    def on_webhook(self, webhook: WebhookEvent) -> None:
        """Without waiting for anything: LiveKit awaits the answer to its webhook."""
        if webhook.num_dropped > 0 or webhook.event == "room_started":
            # Also of a room that a server took over from one that died.
            self._reconciler.suspect(webhook.room_name)
        if webhook.event == "participant_joined" and webhook.participant is not None:
            self._join_checks.add(webhook.room_name, webhook.participant)
