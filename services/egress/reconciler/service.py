"""The reconciler: checks of all rooms on a period, and single rooms as soon as one looks suspicious."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from prometheus_client import Histogram

from services.egress.reconciler.room_check import RoomCheck
from services.egress.reconciler.room_probe import RoomProbe
from services.egress.reconciler.work_queue import SOON, RoomQueue
from services.egress.sessions.projection import EgressSessionProjection, KnownSession
from shared.clock import Clock
from shared.errors import AppError
from shared.ids import is_id
from shared.livekit import LiveKit, LiveKitRoom
from shared.persistence.lease import Lease

log = structlog.get_logger(__name__)

RECONCILE_SECONDS = Histogram(
    "greenroom_reconcile_seconds", "Time to look into all rooms, or into those in doubt"
)

# By name: what is known of its session, and LiveKit's room, None if there is none.
Rooms = Mapping[str, tuple[KnownSession | None, LiveKitRoom | None]]

# Those of a dead server take 3 s each.
_ROOMS_AT_ONCE = 200


class Reconciler:
    """Works on the replica that holds the lease; the others only notice."""

    def __init__(
        self,
        livekit: LiveKit,
        sessions: EgressSessionProjection,
        rooms: RoomCheck,
        probe: RoomProbe,
        lease: Lease,
        queue: RoomQueue,
        clock: Clock,
        *,
        period: timedelta,
    ):
        self._livekit = livekit
        self._sessions = sessions
        self._rooms = rooms
        self._probe = probe
        self._lease = lease
        self._queue = queue
        self._clock = clock
        self._period = period
        self._next_round: datetime | None = None
        self._limit = asyncio.Semaphore(_ROOMS_AT_ONCE)
        self._checking: set[str] = set()
        self._failing = False

    def suspect(self, room: str) -> None:
        """Check the room now, and have all in it answer."""
        if is_id(room):
            self._queue.add(room, suspect=True)

    def recheck_all(self) -> None:
        """LiveKit was away: have a round now, and all in all rooms answer."""
        self._probe.suspect_all()
        self._next_round = None
        self._queue.wake()

    async def run(self) -> None:
        """Work until cancelled. What takes long in one room keeps no other waiting."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                for rooms in await self._try_to_plan():
                    tasks.create_task(self._reconcile(rooms))
                await self._queue.wait()

    async def run_once(self) -> None:
        """All that is to be done now, to its end. Raises `Unavailable`."""
        for rooms in await self._plan():
            await self._reconcile(rooms)

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
        """The rooms of a round, if one is due and the lease is held, and those that are queued."""
        planned = []
        now = self._clock.now()
        round_due = self._lease.held and (self._next_round is None or now >= self._next_round)
        if round_due:
            self._next_round = now + SOON
            planned.append(await self._all())
        due, suspects = await self._queue.take()
        for room in suspects:
            self._probe.suspect(room)
        if due:
            planned.append(await self._some(due))
        # Only now, since what fails until here takes the round with it; not if one was asked for meanwhile.
        if round_due and self._next_round is not None:
            self._next_round = now + self._period
        return planned

    async def _all(self) -> Rooms:
        """The rooms of all live and pending sessions, and all other rooms that are open."""
        # First the sessions, then LiveKit: a session that is live had its room open before.
        expected = [*await self._sessions.list_live(), *await self._sessions.list_pending()]
        known = {one.state.id: one for one in expected}
        listed = {room.name: room for room in await self._livekit.list_rooms() if is_id(room.name)}
        known |= await self._sessions.known([room for room in listed if room not in known])
        rooms = known.keys() | listed.keys()
        self._rooms.retain(rooms)
        return {room: (known.get(room), listed.get(room)) for room in rooms}

    async def _some(self, rooms: list[str]) -> Rooms:
        try:
            known = await self._sessions.known(rooms)
            listed = {room.name: room for room in await self._livekit.list_rooms(rooms)}
        except AppError:
            self._queue.later(rooms)
            raise
        return {room: (known.get(room), listed.get(room)) for room in rooms}

    async def _reconcile(self, rooms: Rooms) -> None:
        with RECONCILE_SECONDS.time():
            await asyncio.gather(*(self._check(room, *found) for room, found in rooms.items()))

    async def _check(self, room: str, known: KnownSession | None, listed: LiveKitRoom | None) -> None:
        if room in self._checking:
            self._queue.later([room])
            return
        self._checking.add(room)
        try:
            async with self._limit:
                again = await self._rooms.check(room, known, listed)
        except AppError as error:
            log.warning("reconciler.room_failed", session_id=room, code=error.code, error=error.message)
            again = True
        finally:
            self._checking.discard(room)
        if again:
            self._queue.later([room])
