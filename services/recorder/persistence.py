"""Going on until what one depends on answers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from shared.errors import Unavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")

_FIRST_DELAY, _LONGEST_DELAY = 0.1, 2.0


async def persist(what: str, attempt: Callable[[], Awaitable[T]]) -> T:
    """Repeat `attempt` with back-off until it no longer raises `Unavailable`."""
    delay = _FIRST_DELAY
    while True:
        try:
            return await attempt()
        except Unavailable as error:
            log.warning("recorder.waiting", what=what, error=error.message)
        await asyncio.sleep(delay * random.uniform(0.75, 1.0))  # noqa: S311 - jitter
        delay = min(_LONGEST_DELAY, delay * 2)
