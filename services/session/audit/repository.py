"""Where the audit log is kept. Nothing here deletes: what is older than the settings say expires."""

from datetime import timedelta

from pydantic import TypeAdapter

from services.session.audit.audit_filter import AuditFilter
from shared.contracts.states import AuditedCallState
from shared.persistence.mongo import ASCENDING, DESCENDING, Document, Duplicate, Index, Mongo

_ADAPTER: TypeAdapter[AuditedCallState] = TypeAdapter(AuditedCallState)


class AuditRepository:
    def __init__(self, mongo: Mongo, kept: timedelta):
        self.collection = mongo.collection("audit")
        self.indexes = (
            Index([("actor", ASCENDING), ("_id", DESCENDING)]),
            Index([("operation", ASCENDING), ("_id", DESCENDING)]),
            Index([("targets", ASCENDING), ("_id", DESCENDING)]),
            Index([("outcome", ASCENDING), ("_id", DESCENDING)]),
            Index([("at", ASCENDING)], expire_after_seconds=int(kept.total_seconds())),
        )

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def store(self, call: AuditedCallState) -> None:
        """Store a call, or what is newer of one; the same or an earlier version changes nothing."""
        fields: Document = _ADAPTER.dump_python(call, mode="python")
        id_ = fields.pop("id")
        try:
            older = {"_id": id_, "version": {"$lt": call.version}}
            await self.collection.update(older, {"$set": fields}, upsert=True)
        except Duplicate:
            return

    async def page_after(
        self, wanted: AuditFilter, *, cursor: str | None, limit: int
    ) -> tuple[list[AuditedCallState], str | None]:
        """The page that follows the call `cursor`, the newest first, and what the next one follows.

        None for the first page, and after the last.
        """
        found = await self.collection.find(wanted.query(cursor), sort=[("_id", DESCENDING)], limit=limit + 1)
        page = [_ADAPTER.validate_python({**one, "id": one["_id"]}) for one in found[:limit]]
        return page, page[-1].id if len(found) > limit else None
