"""What is not recomputed yet: people by session in memory, sessions in the store."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from prometheus_client import Gauge

from services.attendance.sessions.domain import People
from shared.clock import Clock
from shared.persistence.mongo import ASCENDING, DeleteOne, Index, Mongo, UpdateOne
from shared.runtime import tracing

WAITING = Gauge("greenroom_attendance_recompute_waiting", "Sessions whose attendance is to be recomputed")

_ADOPTED_AT_ONCE = 1000
_CAUSES = 16


@dataclass(frozen=True)
class PendingSession:
    """`seq` counts the replica's requests: clearing an earlier one leaves a later one."""

    id: str
    session_id: str
    replica: str
    seq: int


class PendingSessionRepository:
    indexes = (Index([("marked_at", ASCENDING)]),)

    def __init__(self, mongo: Mongo):
        self.collection = mongo.collection("marks")

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def put(self, pending: list[PendingSession], now: datetime) -> None:
        writes = [
            UpdateOne(
                {"_id": one.id},
                {
                    "$setOnInsert": {"session_id": one.session_id, "replica": one.replica},
                    "$max": {"seq": one.seq, "marked_at": now},
                },
                upsert=True,
            )
            for one in pending
        ]
        # Two first ones of the same session may race; the loser then finds the winner's.
        while refused := (await self.collection.bulk(writes)).duplicates:
            writes = [writes[position] for position in refused]

    async def clear(self, seen: Mapping[str, int]) -> None:
        """Remove those, by id, that are no newer than the given `seq`."""
        await self.collection.bulk(
            [DeleteOne({"_id": id_, "seq": {"$lte": seq}}) for id_, seq in seen.items()]
        )

    async def older_than(self, moment: datetime, *, limit: int) -> list[PendingSession]:
        documents = await self.collection.find(
            {"marked_at": {"$lt": moment}}, sort=[("marked_at", ASCENDING)], limit=limit
        )
        return [
            PendingSession(one["_id"], one["session_id"], one["replica"], one["seq"]) for one in documents
        ]


@dataclass
class RecomputeTask:
    """The people of a session (None: everyone) to recompute, and what of the store it completes.

    `causes` are the steps of traces that asked for it, the first few.
    """

    session_id: str
    people: People = frozenset()
    pending: dict[str, int] = field(default_factory=dict)
    causes: list[str] = field(default_factory=list)

    def add(self, people: People, pending: Mapping[str, int], cause: str | None = None) -> None:
        self.people = None if self.people is None or people is None else self.people | people
        _raise_to(self.pending, pending)
        if cause is not None and len(self.causes) < _CAUSES:
            self.causes.append(cause)


class RecomputeQueue:
    """`mark` after writing presence and before answering for it; `take`, recompute, then `complete`.

    What is pending in the store names session and replica. If a replica does not come back to it, another
    adopts it and recomputes everyone of the session.
    """

    def __init__(self, pending: PendingSessionRepository, clock: Clock, replica: str):
        self._store = pending
        self._clock = clock
        self._replica = replica
        self._waiting: dict[str, RecomputeTask] = {}
        self._taken: set[str] = set()
        # What is pending in the store, by id and newest seq, of what waits or is taken.
        self._pending: dict[str, int] = {}
        self._seq = count(1)
        self._marking = asyncio.Lock()
        self._woken = asyncio.Event()
        WAITING.set_function(lambda: len(self._waiting) + len(self._taken))

    async def mark(self, people_of: Mapping[str, People]) -> None:
        """Have these people of these sessions recomputed, also if this process dies now."""
        if not people_of:
            return
        # One at a time: settling a later one must not remove an earlier one that nobody has taken.
        async with self._marking:
            seq = next(self._seq)
            pending = [PendingSession(f"{id_}/{self._replica}", id_, self._replica, seq) for id_ in people_of]
            await self._store.put(pending, self._clock.now())
            for one in pending:
                self._wait(one.session_id, people_of[one.session_id], {one.id: seq})

    async def adopt(self, idle: timedelta) -> None:
        """Take over what has been pending for `idle`."""
        for one in await self._store.older_than(self._clock.now() - idle, limit=_ADOPTED_AT_ONCE):
            if self._pending.get(one.id, 0) < one.seq:
                self._wait(one.session_id, None, {one.id: one.seq})

    def take(self) -> list[RecomputeTask]:
        """Everything that waits, except sessions that were taken and are not released yet."""
        self._woken.clear()
        free = [id_ for id_ in self._waiting if id_ not in self._taken]
        self._taken.update(free)
        return [self._waiting.pop(id_) for id_ in free]

    async def complete(self, task: RecomputeTask, again: Iterable[str] = ()) -> None:
        """`task` is done, except for the people `again`, who were changed meanwhile."""
        left = frozenset(again)
        if left:
            self._wait(task.session_id, left, task.pending)
            return
        await self._store.clear(task.pending)
        for id_, seq in task.pending.items():
            if self._pending.get(id_) == seq:
                del self._pending[id_]

    def give_back(self, task: RecomputeTask) -> None:
        """`task` could not be done now."""
        self._wait(task.session_id, task.people, task.pending)

    def release(self, task: RecomputeTask) -> None:
        """The session may be taken again."""
        self._taken.discard(task.session_id)
        if task.session_id in self._waiting:
            self._woken.set()

    async def wait(self) -> None:
        """Until something is added."""
        await self._woken.wait()

    def _wait(self, session_id: str, people: People, pending: Mapping[str, int]) -> None:
        waiting = self._waiting.setdefault(session_id, RecomputeTask(session_id))
        waiting.add(people, pending, tracing.sampled())
        _raise_to(self._pending, pending)
        self._woken.set()


def _raise_to(known: dict[str, int], pending: Mapping[str, int]) -> None:
    for id_, seq in pending.items():
        known[id_] = max(seq, known.get(id_, 0))
