"""One room: take a snapshot, publish its roster, correct what has differed for its grace period."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.egress.drift.debouncer import Debouncer
from services.egress.drift.domain import Drift
from services.egress.reconciler.comparison import compare, gone, last_seen_times, leftover, unopened
from services.egress.reconciler.connections import ExpectedConnections
from services.egress.reconciler.corrections import RoomCorrector
from services.egress.reconciler.domain import RoomSnapshot
from services.egress.reconciler.heartbeat import Outages
from services.egress.reconciler.room_probe import RoomProbe
from services.egress.reconciler.rosters import Roster, RosterRepository
from services.egress.sessions.projection import KnownSession
from shared.access.room_permissions import IsRevoked, never_revoked
from shared.clock import Clock
from shared.contracts.event import Event
from shared.contracts.reconciler_events import RosterConnection
from shared.contracts.states import SessionState
from shared.livekit import LiveKitRoom

# A session opens its room before it is live: younger rooms are left alone.
OPENING_TIME = timedelta(seconds=30)
_ROOMS_CORRECTED_AT_ONCE = 16


# Whether the room of a scheduled session has to be open, since an encoder may join it.
AwaitsEncoder = Callable[[str], Awaitable[bool]]


async def _no_encoder(session_id: str) -> bool:
    del session_id
    return False


@dataclass(frozen=True)
class RoomRules:
    """What others know of rooms and of those in them."""

    awaits_encoder: AwaitsEncoder = _no_encoder
    is_revoked: IsRevoked = never_revoked


NO_RULES = RoomRules()


class RoomCheck:
    def __init__(
        self,
        probe: RoomProbe,
        debouncer: Debouncer,
        corrector: RoomCorrector,
        connections: ExpectedConnections,
        rosters: RosterRepository,
        outages: Outages,
        clock: Clock,
        rules: RoomRules,
    ):
        self._probe = probe
        self._debouncer = debouncer
        self._corrector = corrector
        self._connections = connections
        self._rosters = rosters
        self._outages = outages
        self._clock = clock
        self._rules = rules
        self._limit = asyncio.Semaphore(_ROOMS_CORRECTED_AT_ONCE)

    def retain(self, rooms: Set[str]) -> None:
        """Forget all other rooms."""
        self._probe.retain(rooms)
        self._debouncer.retain(rooms)

    async def check(self, room: str, known: KnownSession | None, listed: LiveKitRoom | None) -> bool:
        """Compare and correct; whether to check again soon, since something is pending.

        `listed` is LiveKit's room, None if there is none. Raises `Unavailable`.
        """
        if known is not None and (known.live or (known.pending and _occupied(listed))):
            return await self._check_live(known.state, listed)
        if known is not None and known.pending:
            return await self._correct(room, [] if listed else [unopened(room)])
        if listed is None:
            return await self._correct(room, [])
        # Close a room that nobody needs; its session may only be about to start in it.
        over = known is not None and known.over
        young = self._clock.now() - listed.created_at < OPENING_TIME
        if over or not (young or await self._rules.awaits_encoder(room)):
            return await self._correct(room, [leftover(room, known)])
        return await self._correct(room, [])

    async def _check_live(self, session: SessionState, listed: LiveKitRoom | None) -> bool:
        snapshot = await self._probe.snapshot(session, listed)
        sids = [one.connection.participant_sid for one in snapshot.participants]
        expected = await self._connections.expected(session.id, snapshot.room_sid, sids)
        roster = await self._rosters.find(session.id)
        last_seen = last_seen_times(roster, expected, self._outages.answered_before)
        differences = compare(session, expected, snapshot, last_seen, self._rules.is_revoked)
        if snapshot.room_sid is not None and not snapshot.uncertain:
            await self._publish_roster(snapshot, snapshot.room_sid, gone(differences))
        pending = await self._correct(session.id, differences)
        return pending or snapshot.uncertain

    async def _publish_roster(
        self, snapshot: RoomSnapshot, room_sid: str, gone: Mapping[str, datetime]
    ) -> None:
        connected = [
            RosterConnection(**one.connection.model_dump(), active=one.active)
            for one in sorted(snapshot.connected, key=lambda one: one.connection.participant_sid)
        ]

        def observe(roster: Roster) -> Sequence[Event]:
            return roster.observe(snapshot.observed_at, room_sid, connected, gone, running=snapshot.running)

        await self._rosters.publish(snapshot.room, snapshot.observed_at, observe)

    async def _correct(self, room: str, differences: list[Drift]) -> bool:
        """Correct those that are due; whether others, or such as could not be corrected, are left."""
        due = self._debouncer.due(room, differences, self._clock.now())
        if due:
            async with self._limit:
                self._debouncer.corrected(await self._corrector.correct(due), self._clock.now())
        return self._debouncer.pending(room)


def _occupied(listed: LiveKitRoom | None) -> bool:
    return listed is not None and listed.num_participants > 0
