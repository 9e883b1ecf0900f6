"""The reconciler: rounds over all rooms on a period, and single rooms as soon as something is odd there."""

import asyncio
from datetime import datetime, timedelta

import structlog
from prometheus_client import Histogram

from services.egress.reconciler.agenda import SOON, Agenda
from services.egress.reconciler.lease import Lease
from services.egress.reconciler.looker import Looker
from services.egress.reconciler.rooms import RoomCheck
from services.egress.reconciler.sessions.domain import KnownSession
from services.egress.reconciler.sessions.service import Sessions
from shared.clock import Clock
from shared.errors import AppError
from shared.ids import is_id
from shared.livekit import LiveKit, LiveKitRoom

log = structlog.get_logger(__name__)

ROUND_SECONDS = Histogram("greenroom_reconcile_round_seconds", "Time to look at all rooms once")

# Those of a dead server take 3 s each.
_ROOMS_AT_ONCE = 200


class Reconciler:
    """The replica that holds the lease looks; others only notice."""

    def __init__(
        self,
        livekit: LiveKit,
        sessions: Sessions,
        rooms: RoomCheck,
        looker: Looker,
        lease: Lease,
        agenda: Agenda,
        clock: Clock,
        *,
        period: timedelta,
    ):
        self._livekit = livekit
        self._sessions = sessions
        self._rooms = rooms
        self._looker = looker
        self._lease = lease
        self._agenda = agenda
        self._clock = clock
        self._period = period
        self._next_round: datetime | None = None
        self._limit = asyncio.Semaphore(_ROOMS_AT_ONCE)
        self._failing = False

    def suspect(self, room: str) -> None:
        """Look at the room at once, and have all in it prove that they live."""
        if is_id(room):
            self._agenda.add(room, suspect=True)

    def hasten(self, room: str) -> None:
        """Look at the room at once."""
        self._agenda.add(room)

    def start_over(self) -> None:
        """LiveKit was away: have a round at once, and all in all rooms prove that they live."""
        self._looker.suspect_all()
        self._next_round = None
        self._agenda.wake()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.work()
                self._failing = False
            except AppError as error:
                if not self._failing:
                    log.warning("reconciler.waiting", code=error.code, error=error.message)
                self._failing = True
            await self._agenda.rest()

    async def work(self) -> None:
        """A round, where it is time and ours to do; else the rooms that are due. Raises `Unavailable`."""
        now = self._clock.now()
        if self._lease.held and (self._next_round is None or now >= self._next_round):
            self._next_round = retry = now + SOON
            with ROUND_SECONDS.time():
                await self.round()
            if self._next_round == retry:  # Nobody wanted to start over meanwhile.
                self._next_round = now + self._period
        due, suspects = await self._agenda.due()
        for room in suspects:
            self._looker.suspect(room)
        if due:
            await self._look_at(due)

    async def round(self) -> None:
        """Look at the rooms of all live sessions, and at all other rooms that are open."""
        # First the sessions, then LiveKit: a session that is live had its room open before.
        known = {one.state.id: one for one in await self._sessions.list_live()}
        listed = {room.name: room for room in await self._livekit.list_rooms() if is_id(room.name)}
        known |= await self._sessions.known([room for room in listed if room not in known])
        rooms = known.keys() | listed.keys()
        self._looker.forget_others(rooms)
        await asyncio.gather(*(self._check(room, known.get(room), listed.get(room)) for room in rooms))

    async def _look_at(self, rooms: list[str]) -> None:
        try:
            known = await self._sessions.known(rooms)
            listed = {room.name: room for room in await self._livekit.list_rooms(rooms)}
        except AppError:
            self._agenda.later(rooms)
            raise
        await asyncio.gather(*(self._check(room, known.get(room), listed.get(room)) for room in rooms))

    async def _check(self, room: str, known: KnownSession | None, listed: LiveKitRoom | None) -> None:
        self._agenda.drop(room)
        try:
            async with self._limit:
                again = await self._rooms.check(room, known, listed)
        except AppError as error:
            log.warning("reconciler.room_failed", session_id=room, code=error.code, error=error.message)
            again = True
        if again:
            self._agenda.later([room])
