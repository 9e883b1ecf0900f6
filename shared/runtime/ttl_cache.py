"""Answers that many ask for at the same time: made once, and given for a moment."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST = 10_000


class TtlCache(Generic[T]):
    """Values by key, each made by the first who asks and given for `seconds` from then on.

    Failures are given to those who wait for them; to later ones only if they are kept as well.
    """

    def __init__(
        self, seconds: float, *, keep_failures: bool = False, clock: Callable[[], float] = time.monotonic
    ):
        self._seconds = seconds
        self._keep_failures = keep_failures
        self._clock = clock
        # The oldest first, each with the time from which on it is no longer given.
        self._made: OrderedDict[Hashable, tuple[asyncio.Future[T], float]] = OrderedDict()

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        now = self._clock()
        made, until = self._made.get(key, (None, 0.0))
        if made is None or now >= until:
            made = asyncio.ensure_future(make())
            self._remember(key, made, now + self._seconds)
        # Shielded: others may wait for the same answer.
        return await asyncio.shield(made)

    def _remember(self, key: Hashable, made: asyncio.Future[T], until: float) -> None:
        self._made[key] = made, until
        self._made.move_to_end(key)
        if len(self._made) > _MOST:
            self._made.popitem(last=False)

        def forget_failure(done: asyncio.Future[T]) -> None:
            # Looked at in any case: everybody who waited for it may have gone.
            failed = done.cancelled() or done.exception() is not None
            if failed and not self._keep_failures and self._made.get(key) == (done, until):
                del self._made[key]

        made.add_done_callback(forget_failure)

    async def close(self) -> None:
        """Give up what is being made."""
        unfinished = [made for made, _ in self._made.values()]
        for made in unfinished:
            made.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
