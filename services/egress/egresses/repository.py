"""Planned egresses, and which of several workers holds one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from services.egress.egresses.domain import PlannedEgress
from shared.clock import from_unix_ms
from shared.ids import new_id
from shared.persistence.mongo import ASCENDING, Duplicate, Index
from shared.persistence.repository import Repository

# Longer than a worker may take for one step; after a crash the next begins then.
CLAIMED_FOR = timedelta(seconds=20)


class EgressRepository(Repository[PlannedEgress]):
    collection_name: ClassVar[str] = "egresses"
    noun: ClassVar[str] = "egress"
    entity = PlannedEgress
    indexes = (
        Index([("due_at", ASCENDING)], sparse=True),
        Index([("session_id", ASCENDING), ("_id", ASCENDING)]),
        Index([("egress_id", ASCENDING)], sparse=True),
    )

    async def ensure(self, egress: PlannedEgress) -> None:
        """Store it unless it is there."""
        try:
            await self.add(egress, [])
        except Duplicate:
            return

    async def of_session(self, session_id: str) -> list[PlannedEgress]:
        """All of the session, the oldest first."""
        found = await self.list_where({"session_id": session_id})
        return sorted(found, key=lambda egress: egress.id)

    async def find_by_egress_id(self, egress_id: str) -> PlannedEgress | None:
        return await self.find_where({"egress_id": egress_id})

    async def wanted(self) -> list[PlannedEgress]:
        """All that should be running: one that is over has no `due_at`, or is only stopped once more."""
        found = await self.list_where({"due_at": {"$gt": from_unix_ms(0)}, "wanted": True})
        return [egress for egress in found if not egress.over]

    async def due(self, now: datetime, limit: int) -> Sequence[str]:
        """The keys of those the worker has to look at, the longest waiting first."""
        documents = await self.collection.find(
            {"due_at": {"$lte": now}}, sort=[("due_at", ASCENDING)], limit=limit, fields=["_id"]
        )
        return [document["_id"] for document in documents]

    async def claim(self, key: str, now: datetime) -> str | None:
        """Claim it: the claim's name, or None if it is no longer due or another worker holds it."""
        claim = new_id()
        free = {
            "_id": key,
            "due_at": {"$lte": now},
            "$or": [{"claimed_until": None}, {"claimed_until": {"$lte": now}}],
        }
        change = {"$set": {"claim": claim, "claimed_until": now + CLAIMED_FOR}}
        return claim if await self.collection.update(free, change) else None

    async def release(self, key: str, claim: str) -> None:
        held = {"_id": key, "claim": claim}
        await self.collection.update(held, {"$unset": {"claim": "", "claimed_until": ""}})
