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
_MOST_ABSENT = 1_000


class TtlCache(Generic[T]):
    """Values by key, each made by the first who asks and given for `seconds` from then on.

    What takes longer is still made only once at a time: whoever asks meanwhile waits for it.
    Failures are given to those who wait for them and to nobody later; so is a value for which `size_of`
    returns None. The oldest are dropped beyond `max_entries`, or `max_size` in all. A value of None, for what
    does not exist, is kept apart: anybody can make up keys, and those push out one another only.
    """

    def __init__(
        self,
        seconds: float,
        *,
        max_entries: int = _MOST,
        max_size: int = _MOST,
        size_of: Callable[[T], int | None] = lambda _: 1,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._seconds = seconds
        self._size_of = size_of
        self._clock = clock
        self._values: _Store[T] = _Store(max_entries, max_size)
        self._absent: _Store[T] = _Store(_MOST_ABSENT, _MOST_ABSENT)
        self._making: dict[Hashable, asyncio.Future[T]] = {}
        self._unfinished: set[asyncio.Future[T]] = set()

    def __len__(self) -> int:
        return len(self._values.entries) + len(self._absent.entries)

    @property
    def size(self) -> int:
        return self._values.size

    def __contains__(self, key: Hashable) -> bool:
        """Whether `get` would wait for what others asked for, or have it already."""
        return key in self._making or self._find(key) is not None

    def find(self, key: Hashable) -> T | None:
        """The value, if it is there."""
        entry = self._values.find(key, self._clock())
        return entry.value if entry else None

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Raises what `make` raises."""
        entry = self._find(key)
        if entry is not None:
            return entry.value
        making = self._making.get(key) or self._begin(key, make)
        try:
            # Shielded: others may wait for the same answer.
            return await asyncio.shield(making)
        finally:
            # The traceback of a failure holds this frame, which must not hold the failure.
            del making

    def clear(self) -> None:
        """Forget all; what is being made is given to those who wait for it, and to nobody else."""
        self._values.clear()
        self._absent.clear()
        self._making.clear()

    async def close(self) -> None:
        """Give up what is being made."""
        unfinished = tuple(self._unfinished)
        for answer in unfinished:
            answer.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    def _find(self, key: Hashable) -> "_Entry[T] | None":
        now = self._clock()
        return self._values.find(key, now) or self._absent.find(key, now)

    def _begin(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> asyncio.Future[T]:
        making = self._making[key] = asyncio.ensure_future(make())
        self._unfinished.add(making)
        making.add_done_callback(self._unfinished.discard)
        making.add_done_callback(partial(self._record_result, key, self._clock() + self._seconds))
        return making

    def _record_result(self, key: Hashable, until: float, done: asyncio.Future[T]) -> None:
        # Looked at in any case: everybody who waited for it may have gone.
        failed = done.cancelled() or done.exception() is not None
        if self._making.get(key) is not done:
            return
        del self._making[key]
        size = None if failed else self._size_of(done.result())
        now = self._clock()
        if size is not None and now < until:
            store = self._values if done.result() is not None else self._absent
            store.add(key, _Entry(done.result(), until, size), now)


@dataclass(slots=True, eq=False)
class _Entry(Generic[T]):
    """`until`: when the value is no longer given."""

    value: T
    until: float
    size: int


class _Store(Generic[T]):
    """Entries, the oldest first, bounded in their number and in the sum of their sizes."""

    def __init__(self, max_entries: int, max_size: int):
        self.entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()
        self.size = 0
        self._max_entries, self._max_size = max_entries, max_size

    def find(self, key: Hashable, now: float) -> _Entry[T] | None:
        entry = self.entries.get(key)
        return entry if entry is not None and now < entry.until else None

    def add(self, key: Hashable, entry: _Entry[T], now: float) -> None:
        self._drop(key)
        self.entries[key] = entry
        self.size += entry.size
        self._make_room(now)

    def clear(self) -> None:
        self.entries.clear()
        self.size = 0

    def _drop(self, key: Hashable) -> None:
        entry = self.entries.pop(key, None)
        self.size -= entry.size if entry else 0

    def _make_room(self, now: float) -> None:
        """Drop what is too much, and what has expired at the old end."""
        while self.entries:
            oldest = next(iter(self.entries))
            crowded = len(self.entries) > self._max_entries or self.size > self._max_size
            if not crowded and self.entries[oldest].until > now:
                return
            self._drop(oldest)
