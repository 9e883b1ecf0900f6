"""Ends and expires sessions in time: a loop every replica runs, guarded by versions."""

import asyncio

import structlog

from services.session.live.service import LiveService
from shared.errors import AppError

log = structlog.get_logger(__name__)

_PERIOD = 1.0


async def apply_timeouts_forever(live: LiveService) -> None:
    """Check for due sessions every second until cancelled."""
    while True:
        try:
            await live.apply_due_timeouts()
        except AppError as error:
            log.warning("timekeeper.failed", code=error.code, error=error.message)
        await asyncio.sleep(_PERIOD)
