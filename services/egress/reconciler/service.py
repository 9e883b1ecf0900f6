"""The reconciler: rounds over all rooms on a period, and single rooms as soon as something is odd there."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from prometheus_client import Histogram

from services.egress.reconciler.agenda import SOON, Agenda
from services.egress.reconciler.looker import Looker
from services.egress.reconciler.rooms import RoomCheck
from services.egress.reconciler.sessions.domain import KnownSession
from services.egress.reconciler.sessions.service import Sessions
from shared.clock import Clock
from shared.errors import AppError
from shared.ids import is_id
from shared.livekit import LiveKit, LiveKitRoom
from shared.persistence.lease import Lease

log = structlog.get_logger(__name__)

LOOK_SECONDS = Histogram("greenroom_reconcile_seconds", "Time to look into all rooms, or into those in doubt")

# By name: what is known of its session, and LiveKit's room, None where there is none.
Rooms = Mapping[str, tuple[KnownSession | None, LiveKitRoom | None]]

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
        self._looking: set[str] = set()
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
        """Work until cancelled. What takes long in one room keeps no other waiting."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                for rooms in await self._try_to_plan():
                    tasks.create_task(self._look_into(rooms))
                await self._agenda.rest()

    async def work(self) -> None:
        """All that is to be done now, to its end. Raises `Unavailable`."""
        for rooms in await self._plan():
            await self._look_into(rooms)

    async def _try_to_plan(self) -> list[Rooms]:
        try:
            planned = await self._plan()
        except AppError as error:
            if not self._failing:
                log.warning("reconciler.waiting", code=error.code, error=error.message)
            self._failing = True
            return []
        self._failing = False
        return planned

    async def _plan(self) -> list[Rooms]:
        """The rooms of a round, where it is time and ours to do, and those that are due."""
        planned = []
        now = self._clock.now()
        if self._lease.held and (self._next_round is None or now >= self._next_round):
            self._next_round = now + SOON
            planned.append(await self._all())
            self._next_round = now + self._period
        due, suspects = await self._agenda.take()
        for room in suspects:
            self._looker.suspect(room)
        if due:
            planned.append(await self._some(due))
        return planned

    async def _all(self) -> Rooms:
        """The rooms of all live sessions, and all other rooms that are open."""
        # First the sessions, then LiveKit: a session that is live had its room open before.
        known = {one.state.id: one for one in await self._sessions.list_live()}
        listed = {room.name: room for room in await self._livekit.list_rooms() if is_id(room.name)}
        known |= await self._sessions.known([room for room in listed if room not in known])
        rooms = known.keys() | listed.keys()
        self._rooms.forget_others(rooms)
        return {room: (known.get(room), listed.get(room)) for room in rooms}

    async def _some(self, rooms: list[str]) -> Rooms:
        try:
            known = await self._sessions.known(rooms)
            listed = {room.name: room for room in await self._livekit.list_rooms(rooms)}
        except AppError:
            self._agenda.later(rooms)
            raise
        return {room: (known.get(room), listed.get(room)) for room in rooms}

    async def _look_into(self, rooms: Rooms) -> None:
        with LOOK_SECONDS.time():
            await asyncio.gather(*(self._check(room, *what) for room, what in rooms.items()))

    async def _check(self, room: str, known: KnownSession | None, listed: LiveKitRoom | None) -> None:
        if room in self._looking:
            self._agenda.later([room])
            return
        self._looking.add(room)
        try:
            async with self._limit:
                again = await self._rooms.check(room, known, listed)
        except AppError as error:
            log.warning("reconciler.room_failed", session_id=room, code=error.code, error=error.message)
            again = True
        finally:
            self._looking.discard(room)
        if again:
            self._agenda.later([room])
