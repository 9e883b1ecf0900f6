"""Applies timeouts: a loop that every replica runs, guarded by the versions of what it changes."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from shared.errors import AppError

log = structlog.get_logger(__name__)

_PERIOD = 1.0


async def run_timeouts(name: str, apply: Callable[[], Awaitable[object]]) -> None:
    """Apply what is due every second until cancelled, for example `LiveService.apply_due_timeouts`."""
    while True:
        try:
            await apply()
        except AppError as error:
            log.warning("timeouts.failed", worker=name, code=error.code, error=error.message)
        await asyncio.sleep(_PERIOD)
