"""Planning and stopping the egresses of sessions, and applying what the engine reports."""

import asyncio
from collections.abc import Sequence
from typing import Final

from services.egress.egresses.domain import FileMade, PlannedEgress
from services.egress.egresses.repository import EgressRepository
from services.egress.egresses.schedule import restart
from shared.bus import Group, on
from shared.clock import Clock
from shared.contracts.event import Event
from shared.contracts.livekit_events import EgressEnded, EgressEvent, EgressStarted, EgressUpdated
from shared.egress.engine import EgressInfo, EgressStatus
from shared.runtime import tracing

GROUP: Final = "egress.egresses"


class EgressService:
    def __init__(self, egresses: EgressRepository, wake: asyncio.Event, clock: Clock):
        self._egresses = egresses
        self._wake = wake
        self._clock = clock

    async def plan(
        self, key: str, session_id: str, *, stream: bool, file: bool, replaces: PlannedEgress | None = None
    ) -> None:
        """Plan an egress with this key, once however often this is called.

        One that `replaces` another, which broke off, begins after a pause.
        """
        now = self._clock.now()
        attempt, begins_at = restart(replaces, now) if replaces else (0, now)
        egress = PlannedEgress(
            id=key,
            session_id=session_id,
            stream=stream,
            file=file,
            attempt=attempt,
            due_at=begins_at,
            traceparent=tracing.sampled(),
            created_at=begins_at,
            updated_at=now,
        )
        await self._egresses.ensure(egress)
        self._wake.set()

    async def stop(self, key: str) -> None:
        """Have it stopped; one that is not planned is ignored."""
        if await self._egresses.find(key) is None:
            return
        await self._egresses.change(key, lambda egress: egress.cancel(self._clock.now()))
        self._wake.set()

    async def stop_all(self, session_id: str) -> None:
        """Have everything of the session stopped."""
        for egress in await self._egresses.of_session(session_id):
            if egress.wanted and not egress.over:
                await self.stop(egress.id)

    async def any_open(self, session_id: str) -> bool:
        """Whether any of the session is not over."""
        return any(not egress.over for egress in await self._egresses.of_session(session_id))

    async def find(self, key: str) -> PlannedEgress | None:
        return await self._egresses.find(key)

    async def reopen(self, key: str) -> None:
        """Have the engine finish an egress that has failed, from what it left."""
        await self._egresses.change(key, lambda egress: egress.reopen(self._clock.now()))
        self._wake.set()

    async def follow(self, event: EgressEvent) -> None:
        """Apply what a webhook reports of one of ours."""
        known = await self._known(event)
        if known is None:
            return
        seen = _seen(event)

        def observe(egress: PlannedEgress) -> Sequence[Event]:
            its_own = egress.egress_id in {None, seen.egress_id}
            if its_own and seen.status.over and (egress.presumed or not egress.over):
                egress.made, egress.details = _made(event), event.details
            return egress.observe(seen, self._clock.now())

        await self._egresses.change(known.id, observe)
        self._wake.set()

    async def _known(self, event: EgressEvent) -> PlannedEgress | None:
        """The planned egress it is about; None for others, and for a key reported in another room."""
        if event.egress_key is not None:
            found = await self._egresses.find(event.egress_key)
        else:
            found = await self._egresses.find_by_egress_id(event.egress_id)
        return found if found is not None and found.session_id == event.session_id else None


def egress_group(egresses: EgressService) -> Group:
    """What the engine's webhooks report."""
    events = (EgressStarted, EgressUpdated, EgressEnded)
    return Group(GROUP, dict(on(event, egresses.follow) for event in events))


def _seen(event: EgressEvent) -> EgressInfo:
    return EgressInfo(
        egress_id=event.egress_id,
        session_id=event.session_id,
        key=event.egress_key,
        status=EgressStatus(event.status),
        error=event.error,
        started_at=event.started_at,
        ended_at=event.ended_at,
    )


def _made(event: EgressEvent) -> FileMade | None:
    made = (FileMade(size=one.size, duration=one.duration, started_at=one.started_at) for one in event.files)
    return next(made, None)
