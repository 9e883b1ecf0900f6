"""Answers that many ask for at the same time: made once, and given for a moment."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST = 10_000


@dataclass(slots=True, eq=False)
class _Made(Generic[T]):
    """`until`: when it is no longer given; `size`: once it is known."""

    answer: asyncio.Future[T]
    until: float
    size: int = 0


class TtlCache(Generic[T]):
    """Values by key, each made by the first who asks and given for `seconds` from then on.

    What takes longer is still made only once at a time: whoever asks meanwhile waits for it.
    Failures are given to those who wait for them; to later ones only if they are kept as well. So is a value
    for which `size_of` returns None. The oldest are dropped beyond `max_entries`, or `max_size` in all.
    """

    def __init__(
        self,
        seconds: float,
        *,
        keep_failures: bool = False,
        max_entries: int = _MOST,
        max_size: int = _MOST,
        size_of: Callable[[T], int | None] = lambda _: 1,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._seconds = seconds
        self._keep_failures = keep_failures
        self._max_entries, self._max_size = max_entries, max_size
        self._size_of = size_of
        self._clock = clock
        # The oldest first.
        self._made: OrderedDict[Hashable, _Made[T]] = OrderedDict()
        self._unfinished: set[asyncio.Future[T]] = set()
        self.size = 0

    def __len__(self) -> int:
        return len(self._made)

    def __contains__(self, key: Hashable) -> bool:
        """Whether `get` would wait for what others asked for, or have it already."""
        made = self._made.get(key)
        return made is not None and (not made.answer.done() or self._clock() < made.until)

    def find(self, key: Hashable) -> T | None:
        """The value, if it is there."""
        made = self._made.get(key)
        if made is None or self._clock() >= made.until:
            return None
        answer = made.answer
        if not answer.done() or answer.cancelled() or answer.exception() is not None:
            return None
        return answer.result()

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Raises what `make` raises."""
        now = self._clock()
        made = self._made.get(key)
        if made is None or (made.answer.done() and now >= made.until):
            self._forget(key)
            made = self._made[key] = _Made(asyncio.ensure_future(make()), now + self._seconds)
            self._unfinished.add(made.answer)
            made.answer.add_done_callback(self._unfinished.discard)
            made.answer.add_done_callback(partial(self._record_result, key, made))
            self._make_room(now)
        # Shielded: others may wait for the same answer.
        return await asyncio.shield(made.answer)

    def clear(self) -> None:
        """Forget all; what is being made is given to those who wait for it, and to nobody else."""
        self._made.clear()
        self.size = 0

    async def close(self) -> None:
        """Give up what is being made."""
        unfinished = tuple(self._unfinished)
        for answer in unfinished:
            answer.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    def _record_result(self, key: Hashable, made: _Made[T], done: asyncio.Future[T]) -> None:
        # Looked at in any case: everybody who waited for it may have gone.
        failed = done.cancelled() or done.exception() is not None
        if self._made.get(key) is not made:
            return
        size = (0 if self._keep_failures else None) if failed else self._size_of(done.result())
        now = self._clock()
        if size is None or now >= made.until:
            self._forget(key)
            return
        made.size = size
        self.size += size
        self._make_room(now)

    def _forget(self, key: Hashable) -> None:
        made = self._made.pop(key, None)
        self.size -= made.size if made else 0

    def _make_room(self, now: float) -> None:
        """Drop what is too much, and what has expired at the old end."""
        while self._made:
            oldest = next(iter(self._made))
            crowded = len(self._made) > self._max_entries or self.size > self._max_size
            if not crowded and (self._made[oldest].until > now or not self._made[oldest].answer.done()):
                return
            self._forget(oldest)
