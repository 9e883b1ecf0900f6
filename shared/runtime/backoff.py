"""Trying again, with growing pauses, what is unavailable."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import structlog

from shared.errors import Unavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")


def pauses(first: float, longest: float) -> Iterator[float]:
    """The seconds to wait after each failure: doubled from `first` to `longest`, less a random quarter."""
    delay = first
    while True:
        yield delay * random.uniform(0.75, 1.0)  # noqa: S311 - jitter
        delay = min(longest, delay * 2)


async def until_available(what: str, attempt: Callable[[], Awaitable[T]]) -> T:
    """Repeat `attempt` with back-off until it no longer raises `Unavailable`; what it returns."""
    waits = pauses(0.1, 1.0)
    while True:
        try:
            return await attempt()
        except Unavailable as error:
            pause = next(waits)
            log.warning("unavailable.waiting", what=what, error=error.message, retry_in=round(pause, 2))
        await asyncio.sleep(pause)
