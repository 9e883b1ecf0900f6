"""The drift ledger: entries stay for 30 days and never change."""

from datetime import timedelta
from typing import ClassVar

from services.egress.reconciler.drift.domain import Drift
from shared.mongo import ASCENDING, DESCENDING, Document, Index
from shared.repository import Repository

KEPT = timedelta(days=30)


class DriftRepository(Repository[Drift]):
    collection_name: ClassVar[str] = "drift"
    noun: ClassVar[str] = "drift"
    entity = Drift
    indexes = (
        Index([("at", ASCENDING)], expire_after_seconds=int(KEPT.total_seconds())),
        Index([("session_id", ASCENDING), ("_id", DESCENDING)]),
    )

    async def list_newest(self, session_id: str | None, *, skip: int, limit: int) -> tuple[list[Drift], int]:
        """One page of all entries or of one session's, the newest first, and how many there are."""
        query: Document = {"session_id": session_id} if session_id else {}
        return await self.page(query, skip=skip, limit=limit)
