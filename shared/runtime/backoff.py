"""Delays between attempts, and repeating what depends on something that is away."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

import structlog

from shared.errors import Unavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Backoff:
    """Delays that double from `first` to `most` seconds, each cut by up to half at random."""

    first: float
    most: float
    random: Callable[[], float] = field(default=random.random, compare=False)

    def delay(self, attempt: int) -> float:
        """Seconds to wait after failure number `attempt`, counted from 0."""
        full = min(self.most, self.first * 2.0 ** min(attempt, 30))
        return full * (0.5 + 0.5 * self.random())

    def delays(self) -> Iterator[float]:
        """The delays after one failure after the other."""
        return map(self.delay, count())

    async def until(self, attempt: Callable[[], Awaitable[bool]]) -> None:
        """Repeat `attempt` until it returns True."""
        for delay in self.delays():
            if await attempt():
                return
            await asyncio.sleep(delay)

    @staticmethod
    def is_news(attempt: int) -> bool:
        """Whether failure number `attempt` deserves a line in the log: the 1st, 2nd, 4th, 8th and so on."""
        return (attempt + 1).bit_count() == 1


_IMPATIENT = Backoff(0.1, 1.0)


async def until_available(what: str, attempt: Callable[[], Awaitable[T]], backoff: Backoff = _IMPATIENT) -> T:
    """Repeat `attempt` until it no longer raises `Unavailable`; its result."""
    delays = backoff.delays()
    while True:
        try:
            return await attempt()
        except Unavailable as error:
            delay = next(delays)
            log.warning("dependency.unavailable", what=what, error=error.message, retry_in=round(delay, 2))
        await asyncio.sleep(delay)
