"""The drift ledger: entries stay for 30 days and never change."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

import structlog
from prometheus_client import Counter

from services.egress.drift.domain import DriftCorrection, DriftEntry, Kind
from shared.ids import first_id_at, new_id
from shared.persistence.mongo import ASCENDING, DESCENDING, Document, Index
from shared.persistence.repository import Repository

log = structlog.get_logger(__name__)

REPAIRED = Counter("greenroom_drift_total", "Differences to LiveKit that were repaired", ["kind"])

KEPT = timedelta(days=30)


class DriftLedger(Repository[DriftEntry]):
    collection_name: ClassVar[str] = "drift"
    noun: ClassVar[str] = "drift"
    entity = DriftEntry
    indexes = (
        Index([("at", ASCENDING)], expire_after_seconds=int(KEPT.total_seconds())),
        Index([("session_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("session_id", ASCENDING), ("kind", ASCENDING), ("_id", DESCENDING)]),
        Index([("kind", ASCENDING), ("_id", DESCENDING)]),
    )

    async def record(self, corrections: Sequence[DriftCorrection]) -> None:
        """Store what was corrected, with its events: one write, however much it is."""
        now = self._clock.now()
        entries = [DriftEntry.of(correction, new_id(), now) for correction in corrections]
        await self.add_many([(entry, entry.corrected()) for entry in entries])
        for entry in entries:
            REPAIRED.labels(entry.kind).inc()
            log.warning("drift.repaired", session_id=entry.session_id, kind=entry.kind, action=entry.action)

    async def list_newest(
        self,
        session_id: str | None = None,
        kind: Kind | None = None,
        since: datetime | None = None,
        *,
        skip: int = 0,
        limit: int = 100,
    ) -> tuple[list[DriftEntry], int]:
        """One page of the entries that match, the newest first, and how many there are.

        Ids begin with the time they were made at, so that one index serves `since` and the order.
        """
        query: Document = {"session_id": session_id} if session_id else {}
        if kind:
            query["kind"] = kind.value
        if since:
            query["_id"] = {"$gte": first_id_at(since)}
        return await self.page(query, skip=skip, limit=limit)
