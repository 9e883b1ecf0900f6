"""Where raised hands and join requests are kept."""

from collections.abc import Set

from services.session.stage.requests.domain import StageRequest, open_key
from shared.contracts.states import RequestKind, RequestStatus
from shared.persistence.mongo import ASCENDING, DESCENDING, Document, Index
from shared.persistence.repository import Repository


class StageRequestRepository(Repository[StageRequest]):
    collection_name = "stage_requests"
    noun = "stage_request"
    entity = StageRequest
    indexes = (
        Index([("open_key", ASCENDING)], unique=True, sparse=True),
        Index([("session_id", ASCENDING), ("kind", ASCENDING), ("status", ASCENDING), ("_id", ASCENDING)]),
        Index([("session_id", ASCENDING), ("kind", ASCENDING), ("user_id", ASCENDING), ("_id", DESCENDING)]),
    )

    async def find_pending(self, session_id: str, kind: RequestKind, user_id: str) -> StageRequest | None:
        return await self.find_where({"open_key": open_key(session_id, kind, user_id)})

    async def find_latest(self, session_id: str, kind: RequestKind, user_id: str) -> StageRequest | None:
        """The person's newest of this kind in the session, however it was answered."""
        query = {"session_id": session_id, "kind": kind.value, "user_id": user_id}
        found = await self.collection.find(query, sort=[("_id", DESCENDING)], limit=1)
        return self.load(found[0]) if found else None

    async def list_pending(
        self, session_id: str, kind: RequestKind, skip: int, limit: int, *, without: Set[str] = frozenset()
    ) -> tuple[list[StageRequest], int]:
        """Who waits, `without` these users, the first to ask first, and how many do."""
        query: Document = {
            "session_id": session_id,
            "kind": kind.value,
            "status": RequestStatus.PENDING.value,
        }
        if without:
            query["user_id"] = {"$nin": sorted(without)}
        return await self.page(query, skip=skip, limit=limit, sort=(("_id", ASCENDING),))

    async def has_asked(self, session_id: str, user_id: str) -> bool:
        """Whether the person waits for a place on stage."""
        keys = [open_key(session_id, kind, user_id) for kind in RequestKind]
        return bool(await self.collection.count({"open_key": {"$in": keys}}, limit=1))

    async def remove_session(self, session_id: str) -> None:
        await self.collection.delete_many({"session_id": session_id})
