"""The entries of the drift ledger: they stay for 30 days and never change."""

from datetime import datetime, timedelta
from typing import ClassVar

from services.egress.drift.domain import DriftEntry, Kind
from shared.ids import first_id_at
from shared.persistence.mongo import ASCENDING, DESCENDING, Document, Index
from shared.persistence.repository import Repository

KEPT = timedelta(days=30)


class DriftRepository(Repository[DriftEntry]):
    collection_name: ClassVar[str] = "drift"
    noun: ClassVar[str] = "drift"
    entity = DriftEntry
    indexes = (
        Index([("at", ASCENDING)], expire_after_seconds=int(KEPT.total_seconds())),
        Index([("session_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("session_id", ASCENDING), ("kind", ASCENDING), ("_id", DESCENDING)]),
        Index([("kind", ASCENDING), ("_id", DESCENDING)]),
    )

    async def count(self, session_id: str, kind: Kind, user_id: str, *, action: str, most: int) -> int:
        """How often this was done about a person in a session for this kind, counted up to `most`."""
        query = {
            "session_id": session_id,
            "kind": kind.value,
            "participant.user_id": user_id,
            "action": action,
        }
        return await self.collection.count(query, limit=most)

    async def list_newest(
        self,
        session_id: str | None,
        kind: Kind | None,
        since: datetime | None,
        *,
        skip: int,
        limit: int,
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
