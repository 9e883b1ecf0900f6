"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")
SOON = 60.0
_LOOK_EVERY = 0.05


async def eventually(
    look: Callable[[], Awaitable[Found]], wanted: Callable[[Found], object], within: float = SOON
) -> Found:
    """What `look` finds, once it is as wanted; fails with what it found last after `within` seconds."""
    deadline = time.monotonic() + within
    while not wanted(found := await look()):
        assert time.monotonic() < deadline, found
        await asyncio.sleep(_LOOK_EVERY)
    return found


def equal_to(wanted: Found) -> Callable[[Found], bool]:
    return lambda found: found == wanted
