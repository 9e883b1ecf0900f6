"""Rooms to check before the next round. One replica checks; the others leave hints."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from shared.clock import Clock
from shared.errors import AppError
from shared.persistence.lease import Lease
from shared.persistence.mongo import ASCENDING, Collection, DeleteOne, Index, Mongo, UpdateOne
from shared.runtime.tasks import wait_at_most

# How soon to check again what is pending; also how often to take over what others noticed.
SOON = timedelta(seconds=1)
_KEPT = timedelta(days=1)


class RoomHintStore:
    """What replicas without the lease noticed: rooms to check, `suspect` if all in them have to answer."""

    collection_name = "notices"
    indexes = (Index([("at", ASCENDING)], expire_after_seconds=int(_KEPT.total_seconds())),)

    def __init__(self, mongo: Mongo):
        self._collection: Collection = mongo.collection(self.collection_name)

    async def ensure_indexes(self) -> None:
        await self._collection.ensure_indexes(self.indexes)

    async def add(self, rooms: Mapping[str, bool], now: datetime) -> None:
        """`rooms`: each with whether it is suspect."""
        await self._collection.bulk(
            [
                UpdateOne({"_id": room}, {"$max": {"suspect": suspect}, "$set": {"at": now}}, upsert=True)
                for room, suspect in rooms.items()
            ]
        )

    async def take(self) -> dict[str, bool]:
        """All of them, which are then forgotten."""
        found = await self._collection.find({})
        await self._collection.bulk([DeleteOne({"_id": one["_id"], "at": one["at"]}) for one in found])
        return {one["_id"]: one["suspect"] for one in found}


class RoomQueue:
    def __init__(self, lease: Lease, store: RoomHintStore, clock: Clock):
        self._lease = lease
        self._store = store
        self._clock = clock
        self._due: dict[str, datetime] = {}
        self._suspects: set[str] = set()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    def add(self, room: str, *, suspect: bool = False) -> None:
        """Check the room now; `suspect`: have all in it answer."""
        self._due[room] = self._clock.now()
        if suspect:
            self._suspects.add(room)
        self._woken.set()

    def later(self, rooms: Iterable[str]) -> None:
        """Check these rooms again soon, unless they are queued already."""
        soon = self._clock.now() + SOON
        for room in rooms:
            self._due.setdefault(room, soon)

    async def take(self) -> tuple[list[str], list[str]]:
        """The rooms to check now, and which are suspect; none without the lease. Raises `Unavailable`."""
        if not self._lease.held:
            await self._hand_over()
            return [], []
        for room, suspect in (await self._store.take()).items():
            self.add(room, suspect=suspect)
        suspects, self._suspects = self._suspects, set()
        now = self._clock.now()
        due = [room for room, at in self._due.items() if at <= now]
        for room in due:
            del self._due[room]
        return due, list(suspects)

    async def _hand_over(self) -> None:
        if not self._due:
            return
        # Taken before the write: what is noticed during it is handed over with the next.
        due, self._due = self._due, {}
        suspects, self._suspects = self._suspects, set()
        try:
            await self._store.add({room: room in suspects for room in due}, self._clock.now())
        except AppError:
            self._due = due | self._due
            self._suspects |= suspects
            raise

    async def wait(self) -> None:
        """Until something is due or added; never longer than a second, for the lease may be acquired."""
        waits = [(at - self._clock.now()).total_seconds() for at in self._due.values()]
        longest = SOON.total_seconds()
        if await wait_at_most(self._woken, min(max(min(waits, default=longest), 0.01), longest)):
            self._woken.clear()
