"""The clockwork that ends and expires sessions: a loop every replica runs, guarded by versions."""

import asyncio

import structlog

from services.session.live.service import LiveService
from shared.errors import AppError

log = structlog.get_logger(__name__)

_PERIOD = 1.0


async def keep_time(live: LiveService) -> None:
    """Look for due sessions every second until cancelled."""
    while True:
        try:
            await live.settle_due()
        except AppError as error:
            log.warning("timekeeper.failed", code=error.code, error=error.message)
        await asyncio.sleep(_PERIOD)
