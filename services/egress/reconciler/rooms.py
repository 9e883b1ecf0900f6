"""One room: look at it, tell its roster, repair what has differed for long enough."""

import asyncio
from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta

from services.egress.reconciler.comparison import compare, gone, leftover
from services.egress.reconciler.connections.repository import ConnectionRepository
from services.egress.reconciler.domain import Look, Repair
from services.egress.reconciler.doubts import Doubts
from services.egress.reconciler.heartbeat import Outages
from services.egress.reconciler.looker import Looker
from services.egress.reconciler.proofs import proofs_of_life
from services.egress.reconciler.repairs import Repairer
from services.egress.reconciler.rosters.domain import Roster
from services.egress.reconciler.rosters.repository import RosterRepository
from services.egress.reconciler.sessions.domain import KnownSession
from shared.clock import Clock
from shared.contracts.event import Event
from shared.contracts.roster_events import RosterConnection
from shared.contracts.states import SessionState
from shared.livekit import LiveKitRoom

# A session opens its room before it is live: younger rooms are left alone.
GRACE = timedelta(seconds=30)
_ROOMS_REPAIRED_AT_ONCE = 16


class RoomCheck:
    def __init__(
        self,
        looker: Looker,
        doubts: Doubts,
        repairer: Repairer,
        connections: ConnectionRepository,
        rosters: RosterRepository,
        outages: Outages,
        clock: Clock,
    ):
        self._looker = looker
        self._doubts = doubts
        self._repairer = repairer
        self._connections = connections
        self._rosters = rosters
        self._outages = outages
        self._clock = clock
        self._limit = asyncio.Semaphore(_ROOMS_REPAIRED_AT_ONCE)

    def forget_others(self, rooms: Set[str]) -> None:
        """Nobody will ask for other rooms than these."""
        self._looker.forget_others(rooms)
        self._doubts.forget_others(rooms)

    async def check(self, room: str, known: KnownSession | None, listed: LiveKitRoom | None) -> bool:
        """Compare and repair; whether to look again soon, since something awaits its time.

        `listed` is LiveKit's room, None where there is none. Raises `Unavailable`.
        """
        if known is not None and known.live:
            return await self._check_live(known.state, listed)
        return await self._check_unused(room, known, listed)

    async def _check_live(self, session: SessionState, listed: LiveKitRoom | None) -> bool:
        look = await self._looker.look(session, listed)
        sids = [one.connection.participant_sid for one in look.present]
        believed = await self._connections.believed(session.id, look.room_sid, sids)
        proofs = proofs_of_life(await self._rosters.find(session.id), believed, self._outages.answered_before)
        differences = compare(session, believed, look, proofs)
        if look.room_sid is not None and not look.unsure:
            await self._tell_roster(look, look.room_sid, gone(differences))
        again = await self._repair(session.id, differences)
        return again or look.unsure

    async def _tell_roster(self, look: Look, room_sid: str, gone: Mapping[str, datetime]) -> None:
        there = [
            RosterConnection(**one.connection.model_dump(), active=one.active)
            for one in sorted(look.there, key=lambda one: one.connection.participant_sid)
        ]

        def observe(roster: Roster) -> Sequence[Event]:
            return roster.observe(look.observed_at, room_sid, there, gone, run=look.run)

        await self._rosters.tell(look.room, look.observed_at, observe)

    async def _check_unused(self, room: str, known: KnownSession | None, listed: LiveKitRoom | None) -> bool:
        """Close a room that nobody needs; its session may only be about to start in it."""
        if listed is None:
            return await self._repair(room, [])
        over = known is not None and known.over
        young = self._clock.now() - listed.created_at < GRACE
        return await self._repair(room, [leftover(room, known)] if over or not young else [])

    async def _repair(self, room: str, differences: list[Repair]) -> bool:
        """Repair those that are ripe; whether others, or such as could not be repaired, are left."""
        ripe = self._doubts.ripe(room, differences, self._clock.now())
        if ripe:
            async with self._limit:
                self._doubts.settle(await self._repairer.carry_out(ripe), self._clock.now())
        return self._doubts.any(room)
