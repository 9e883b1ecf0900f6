"""Expensive work for many: bounded, by turns, and not for those who have left."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from shared.errors import Unavailable

T = TypeVar("T")


@dataclass(frozen=True)
class Asker:
    """Whom work is for: those of one `name` share their turns. `waits`: whether they still want it."""

    name: str = ""
    waits: Callable[[], bool] = lambda: True


THE_SERVICE: Final = Asker()


@dataclass(frozen=True, eq=False)
class _WaitingJob:
    """`turn` is done when it is theirs, or cannot be."""

    asker: Asker
    turn: asyncio.Future[None]

    @property
    def over(self) -> bool:
        return self.turn.done() or not self.asker.waits()


class FairQueue:
    """Runs `at_once` jobs in threads of its own, while `most` others wait: one of each asker, then again.

    If too many wait, the newest job of whoever has most makes room for the first ones of others. So neither
    the queue's end nor its length is worse for somebody because another one floods it.
    """

    def __init__(self, at_once: int, most: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix=name)
        self._free = at_once
        self._most = most
        # By asker; whose turn is next comes first.
        self._waiting: OrderedDict[str, deque[_WaitingJob]] = OrderedDict()

    async def run(self, asker: Asker, work: Callable[[], T]) -> T:
        """What `work` returns, or raises; raises `Unavailable` if too many wait, or the asker has left."""
        if self._free:
            self._free -= 1
        else:
            await self._turn(asker)
        loop = asyncio.get_running_loop()
        job = self._threads.submit(work)
        # By the thread's own future: asyncio's is done as soon as nobody waits for it, while the thread
        # cannot be interrupted.
        job.add_done_callback(lambda _: loop.call_soon_threadsafe(self._next))
        return await asyncio.wrap_future(job)

    async def _turn(self, asker: Asker) -> None:
        self._make_room(asker)
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(asker.name, deque()).append(_WaitingJob(asker, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._next()  # it had just become ours
            raise

    def _next(self) -> None:
        """Give the place that became free to whose turn it is."""
        while self._waiting:
            name, jobs = self._waiting.popitem(last=False)
            first = jobs.popleft()
            if jobs:
                self._waiting[name] = jobs
            if not first.over:
                first.turn.set_result(None)
                return
            _refuse(first, _left())
        self._free += 1

    def _make_room(self, asker: Asker) -> None:
        """Raises `Unavailable` if there is none."""
        if self._count() >= self._most:
            self._drop_who_left()
        if self._count() < self._most:
            return
        crowd = max(self._waiting.values(), key=len)
        if len(crowd) < len(self._waiting.get(asker.name, ())) + 2:
            raise _busy()
        _refuse(crowd.pop(), _busy())

    def _count(self) -> int:
        return sum(map(len, self._waiting.values()))

    def _drop_who_left(self) -> None:
        for name, jobs in list(self._waiting.items()):
            for job in [job for job in jobs if job.over]:
                jobs.remove(job)
                _refuse(job, _left())
            if not jobs:
                del self._waiting[name]


def _refuse(job: _WaitingJob, error: Unavailable) -> None:
    if not job.turn.done():
        job.turn.set_exception(error)


def _busy() -> Unavailable:
    return Unavailable("Too many people are signing in at the same time", code="sign_in_busy")


def _left() -> Unavailable:
    return Unavailable("Nobody waits for this any longer", code="client_gone")
