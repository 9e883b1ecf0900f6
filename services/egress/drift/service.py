"""Keeping and listing the drift ledger."""

from collections.abc import Sequence

import structlog
from prometheus_client import Counter

from services.egress.drift.domain import DriftCorrection, DriftEntry
from services.egress.drift.repository import DriftRepository
from services.egress.drift.schemas import DriftQuery
from shared.clock import Clock
from shared.ids import new_id

log = structlog.get_logger(__name__)

REPAIRED = Counter("greenroom_drift_total", "Differences to LiveKit that were repaired", ["kind"])


class DriftLedger:
    def __init__(self, entries: DriftRepository, clock: Clock):
        self._entries = entries
        self._clock = clock

    async def record(self, corrections: Sequence[DriftCorrection]) -> None:
        """Store what was corrected, with its events: one write, however much it is."""
        now = self._clock.now()
        entries = [DriftEntry.of(correction, new_id(), now) for correction in corrections]
        await self._entries.add_many([(entry, entry.corrected()) for entry in entries])
        for entry in entries:
            REPAIRED.labels(entry.kind).inc()
            log.warning("drift.repaired", session_id=entry.session_id, kind=entry.kind, action=entry.action)

    async def page(self, query: DriftQuery) -> tuple[list[DriftEntry], int]:
        kind = query.kind.value if query.kind else None
        return await self._entries.list_newest(
            query.session_id, kind, query.since, skip=query.skip, limit=query.limit
        )
