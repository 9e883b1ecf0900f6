"""The projected sessions, by version; those that are over are still known for a while."""

from collections.abc import Sequence
from datetime import timedelta

from services.egress.sessions.domain import KnownSession
from shared.clock import Clock
from shared.contracts.states import SessionState
from shared.persistence.keyed_locks import KeyedLocks
from shared.persistence.mongo import ASCENDING, Collection, Document, Duplicate, Index, Mongo
from shared.persistence.read_batcher import ReadBatcher

_KEPT = timedelta(days=7)


class SessionRepository:
    collection_name = "sessions"
    indexes = (
        Index([("live", ASCENDING)], sparse=True),
        Index([("over_at", ASCENDING)], expire_after_seconds=int(_KEPT.total_seconds())),
    )

    def __init__(self, mongo: Mongo, clock: Clock):
        self.collection: Collection = mongo.collection(self.collection_name)
        self._clock = clock
        self._reads = ReadBatcher(self._read)
        self._turns = KeyedLocks()

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def save(self, state: SessionState, *, deleted: bool = False) -> None:
        """Store the state unless it or a newer one is there; a deletion always holds."""
        # Several groups hear each event, and a write that changes nothing costs as much as one that does.
        async with self._turns.of(state.id):
            known = await self.find(state.id)
            if known is None or not known.holds(state, deleted=deleted):
                await self._write(state, deleted=deleted)

    async def _write(self, state: SessionState, *, deleted: bool) -> None:
        session = KnownSession(state, deleted)
        change: Document = {"$set": self._document(session)}
        if not session.live:
            change["$unset"] = {"live": ""}
        older: Document = {"_id": state.id, "deleted": {"$ne": True}}
        if not deleted:
            older["version"] = {"$lt": state.version}
        for _ in range(2):  # Replicas may race; the loser then finds the winner's.
            try:
                await self.collection.update(older, change, upsert=True)
            except Duplicate:
                continue
            return

    def _document(self, session: KnownSession) -> Document:
        document: Document = {
            "version": session.state.version,
            "deleted": session.deleted,
            "state": session.state.model_dump(mode="json"),
        }
        if session.live:
            document["live"] = True
        if session.over:
            document["over_at"] = self._clock.now()
        return document

    async def find(self, session_id: str) -> KnownSession | None:
        return await self._reads.one(session_id)

    async def find_many(self, ids: Sequence[str]) -> dict[str, KnownSession]:
        return await self._reads.many(ids)

    async def _read(self, ids: Sequence[str]) -> dict[str, KnownSession]:
        return {
            one.state.id: one for one in map(_load, await self.collection.find({"_id": {"$in": list(ids)}}))
        }

    async def list_live(self) -> list[KnownSession]:
        return [_load(document) for document in await self.collection.find({"live": True})]


def _load(document: Document) -> KnownSession:
    return KnownSession(SessionState.model_validate(document["state"]), document["deleted"])
