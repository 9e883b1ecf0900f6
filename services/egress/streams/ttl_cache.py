"""Answers that many ask for at the same time: made once, and given for a moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST = 10_000


class TtlCache(Generic[T]):
    """Values by key, each made by the first who asks and given for `seconds`; failures are not kept."""

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._made: dict[str, tuple[float, asyncio.Future[T]]] = {}

    async def get(self, key: str, make: Callable[[], Awaitable[T]]) -> T:
        now = asyncio.get_running_loop().time()
        kept = self._made.get(key)
        if kept is None or now >= kept[0]:
            kept = (now + self._seconds, asyncio.ensure_future(make()))
            self._remember(key, kept, now)
        return await asyncio.shield(kept[1])

    def _remember(self, key: str, kept: tuple[float, asyncio.Future[T]], now: float) -> None:
        if len(self._made) >= _MOST:
            self._made = {one: value for one, value in self._made.items() if value[0] > now}
        self._made[key] = kept

        def forget_failure(done: asyncio.Future[T]) -> None:
            failed = done.cancelled() or done.exception() is not None
            if failed and self._made.get(key) is kept:
                del self._made[key]

        kept[1].add_done_callback(forget_failure)
