"""The ingress of each session, and which call is making it: one document a session, claimed for a while."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.clock import Clock
from shared.errors import Conflict
from shared.ids import new_id
from shared.persistence.mongo import ASCENDING, Collection, Document, Duplicate, Index, Mongo

# Longer than a call that makes an ingress may take: a claim expires only after a crash.
CLAIMED_FOR = timedelta(seconds=15)
# How long a session that is over is remembered, so that a late call makes no ingress.
KEPT = timedelta(days=7)


@dataclass(frozen=True)
class SessionIngest:
    """What we know of a session's ingest; LiveKit keeps the address and the stream key.

    `claimed` while a call is making the ingress, `publishing` while an encoder sends, as far as reported.
    """

    session_id: str
    ingress_id: str | None
    claimed: bool
    closed: bool
    publishing: bool = False

    @property
    def made(self) -> bool:
        """Whether an encoder may come."""
        return self.ingress_id is not None and not self.closed

    def check_open(self) -> None:
        if self.closed:
            raise Conflict("The session is over; it gets no ingest any longer", code="session_over")


class IngestRepository:
    collection_name = "ingests"
    indexes = (Index([("closed_at", ASCENDING)], expire_after_seconds=int(KEPT.total_seconds())),)

    def __init__(self, mongo: Mongo, clock: Clock):
        self._collection: Collection = mongo.collection(self.collection_name)
        self._clock = clock

    async def ensure_indexes(self) -> None:
        await self._collection.ensure_indexes(self.indexes)

    async def find(self, session_id: str) -> SessionIngest | None:
        document = await self._collection.find_one({"_id": session_id})
        return self._load(document) if document else None

    async def awaits_encoder(self, session_id: str) -> bool:
        ingest = await self.find(session_id)
        return ingest is not None and ingest.made

    async def claim(self, session_id: str, known: SessionIngest | None) -> str | None:
        """Claim the making of the ingress: the claim's name, or None if another call holds it.

        `known` is what was read before; if it has changed since, nothing is claimed.
        """
        now = self._clock.now()
        name = new_id()
        claim = {"claim": name, "claimed_until": now + CLAIMED_FOR}
        if known is None:
            try:
                await self._collection.insert({"_id": session_id, **claim})
            except Duplicate:
                return None
            return name
        free = {
            "_id": session_id,
            "closed_at": None,
            "ingress_id": known.ingress_id,
            "$or": [{"claimed_until": None}, {"claimed_until": {"$lte": now}}],
        }
        return name if await self._collection.update(free, {"$set": claim}) else None

    async def record_ingress(self, session_id: str, claim: str, ingress_id: str) -> bool:
        """Record the ingress made under the claim; False if the session was closed meanwhile."""
        held = {"_id": session_id, "claim": claim, "closed_at": None}
        before = {"claim": "", "claimed_until": "", "publishing": "", "told_at": ""}
        change = {"$set": {"ingress_id": ingress_id}, "$unset": before}
        return bool(await self._collection.update(held, change))

    async def release(self, session_id: str, claim: str) -> None:
        """Give up a claim, so that the next call need not wait until it expires."""
        held = {"_id": session_id, "claim": claim}
        await self._collection.update(held, {"$unset": {"claim": "", "claimed_until": ""}})

    async def apply(self, session_id: str, ingress_id: str, at: datetime, *, publishing: bool) -> None:
        """An encoder has been sending since `at`, or has stopped then; a report of a later time stays."""
        older = {
            "_id": session_id,
            "ingress_id": ingress_id,
            "$or": [{"told_at": None}, {"told_at": {"$lte": at}}],
        }
        await self._collection.update(older, {"$set": {"publishing": publishing, "told_at": at}})

    async def forget(self, session_id: str, ingress_id: str) -> bool:
        """The ingress is gone; False if the session has another meanwhile."""
        gone = {"_id": session_id, "ingress_id": ingress_id, "closed_at": None}
        lost = {"ingress_id": "", "publishing": "", "told_at": ""}
        return bool(await self._collection.update(gone, {"$unset": lost}))

    async def list_open(self) -> list[SessionIngest]:
        """Those of sessions that are not over, as far as reported."""
        return [self._load(document) for document in await self._collection.find({"closed_at": None})]

    async def close(self, session_id: str, *, remember: bool) -> SessionIngest | None:
        """Record that the session is over; None if it is unknown and not to be remembered."""
        change = {"$set": {"closed_at": self._clock.now()}}
        document = await self._collection.find_and_update({"_id": session_id}, change, upsert=remember)
        return self._load(document) if document else None

    def _load(self, document: Document) -> SessionIngest:
        until = document.get("claimed_until")
        return SessionIngest(
            session_id=document["_id"],
            ingress_id=document.get("ingress_id"),
            claimed=until is not None and until > self._clock.now(),
            closed=document.get("closed_at") is not None,
            publishing=document.get("publishing", False),
        )
