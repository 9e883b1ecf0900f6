"""What has changed and is not recomputed yet: people by session in memory, sessions in the store."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from services.attendance.audiences.marks import Mark, MarkRepository
from services.attendance.sessions.domain import People
from shared.clock import Clock

_ADOPTED_AT_ONCE = 1000


@dataclass
class Change:
    """The people of a session (None: everyone) to recompute, and the marks that this will settle."""

    session_id: str
    people: People = frozenset()
    marks: dict[str, int] = field(default_factory=dict)

    def add(self, people: People, marks: Mapping[str, int]) -> None:
        self.people = None if self.people is None or people is None else self.people | people
        for id_, seq in marks.items():
            self.marks[id_] = max(seq, self.marks.get(id_, 0))


class Changes:
    """`mark` after writing presence and before answering for it; `take`, recompute, then `settle`.

    A mark in the store names session and replica. Marks of a replica that does not come back to
    them are adopted by another, which then recomputes everyone of the session.
    """

    def __init__(self, marks: MarkRepository, clock: Clock, replica: str):
        self._marks = marks
        self._clock = clock
        self._replica = replica
        self._waiting: dict[str, Change] = {}
        self._taken: set[str] = set()
        # The marks, by id and newest seq, of what waits or is taken.
        self._pending: dict[str, int] = {}
        self._seq = count(1)
        self._marking = asyncio.Lock()
        self._woken = asyncio.Event()

    async def mark(self, people_of: Mapping[str, People]) -> None:
        """Have these people of these sessions recomputed, also if this process dies now."""
        if not people_of:
            return
        # One at a time: a later mark that is settled must not take an earlier one with it unseen.
        async with self._marking:
            seq = next(self._seq)
            marks = [Mark(f"{id_}/{self._replica}", id_, self._replica, seq) for id_ in people_of]
            await self._marks.put(marks, self._clock.now())
            for mark in marks:
                self._wait(mark.session_id, people_of[mark.session_id], {mark.id: seq})

    async def adopt(self, idle: timedelta) -> None:
        """Take over marks that nobody has come back to for `idle`."""
        for mark in await self._marks.older_than(self._clock.now() - idle, limit=_ADOPTED_AT_ONCE):
            if self._pending.get(mark.id, 0) < mark.seq:
                self._wait(mark.session_id, None, {mark.id: mark.seq})

    def take(self) -> list[Change]:
        """Everything that waits, save sessions that were taken and are not settled yet."""
        self._woken.clear()
        free = [id_ for id_ in self._waiting if id_ not in self._taken]
        self._taken.update(free)
        return [self._waiting.pop(id_) for id_ in free]

    async def settle(self, change: Change, again: Iterable[str] = ()) -> None:
        """`change` is recomputed, save for the people `again`, who were changed meanwhile."""
        left = frozenset(again)
        if left:
            self._wait(change.session_id, left, change.marks)
        else:
            await self._marks.clear(change.marks)
            for id_, seq in change.marks.items():
                if self._pending.get(id_) == seq:
                    del self._pending[id_]

    def give_back(self, change: Change) -> None:
        """`change` could not be recomputed now."""
        self._wait(change.session_id, change.people, change.marks)

    def release(self, change: Change) -> None:
        """The session may be taken again."""
        self._taken.discard(change.session_id)
        if change.session_id in self._waiting:
            self._woken.set()

    async def wait(self) -> None:
        """Until something changed."""
        await self._woken.wait()

    def _wait(self, session_id: str, people: People, marks: Mapping[str, int]) -> None:
        self._waiting.setdefault(session_id, Change(session_id)).add(people, marks)
        for id_, seq in marks.items():
            self._pending[id_] = max(seq, self._pending.get(id_, 0))
        self._woken.set()
