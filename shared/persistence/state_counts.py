"""Metrics of what is stored: documents by state, counted on a slow period.

Every replica counts all of them, so that no metric is missing or old while replicas come and go; whoever
reads the metrics takes the maximum.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog
from prometheus_client import Gauge

from shared.errors import Unavailable
from shared.persistence.mongo import Collection
from shared.persistence.repository import COUNTED_TO

log = structlog.get_logger(__name__)

_PERIOD = 15.0


async def count_states(gauge: Gauge, collection: Collection, statuses: Iterable[str]) -> None:
    """Set the gauge for each `status`, to `COUNTED_TO` at most; needs an index that begins with it."""
    for status in statuses:
        gauge.labels(status).set(await collection.count({"status": status}, limit=COUNTED_TO))


async def report_periodically(*reports: Callable[[], Awaitable[None]]) -> None:
    """Until cancelled; while the database is away, the metrics stay as they were."""
    while True:
        try:
            for report in reports:
                await report()
        except Unavailable as error:
            log.warning("state_counts.failed", error=error.message)
        await asyncio.sleep(_PERIOD)
