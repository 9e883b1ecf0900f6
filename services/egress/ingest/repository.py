"""The ingresses of each session, and which call is making one: a document each, claimed for a while.

Everybody in control of a session has their own. The host's document has the session's id, and says whether
the session is over; those of others have their owner's ids behind it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.access.encoders import EncoderOwner
from shared.clock import Clock
from shared.ids import new_id
from shared.persistence.mongo import ASCENDING, Collection, Document, Duplicate, Index, Mongo

# Longer than a call that makes an ingress may take: a claim expires only after a crash.
CLAIMED_FOR = timedelta(seconds=15)
# How long a session that is over is remembered, so that a late call makes no ingress.
KEPT = timedelta(days=7)


_SEPARATOR = ":"


def ingest_id(session_id: str, owner: EncoderOwner | None) -> str:
    """The id of an owner's ingest of a session; None is the host."""
    ids = [owner.user_id, owner.key_id] if owner else []
    return _SEPARATOR.join([session_id, *filter(None, ids)])


def _of(session_id: str) -> Document:
    """All ingests of a session: their ids begin with its own."""
    return {"_id": {"$gte": session_id, "$lt": session_id + chr(ord(_SEPARATOR) + 1)}}


@dataclass(frozen=True)
class SessionIngest:
    """What we know of an ingest of a session; LiveKit keeps the address and the stream key.

    `owner` is None for the host's, `made_at` is missing in older documents; guests gave a display name only.
    `claimed` while a call is making the ingress, `publishing` while an encoder sends, as far as reported.
    """

    id: str
    ingress_id: str | None
    claimed: bool
    closed: bool
    publishing: bool = False
    made_at: datetime | None = None
    is_guest: bool = False

    @property
    def session_id(self) -> str:
        return self.id.partition(_SEPARATOR)[0]

    @property
    def owner(self) -> EncoderOwner | None:
        ids = self.id.split(_SEPARATOR)[1:]
        return EncoderOwner(*ids) if ids else None

    @property
    def made(self) -> bool:
        """Whether an encoder may come."""
        return self.ingress_id is not None and not self.closed


class IngestRepository:
    collection_name = "ingests"
    indexes = (Index([("closed_at", ASCENDING)], expire_after_seconds=int(KEPT.total_seconds())),)

    def __init__(self, mongo: Mongo, clock: Clock):
        self._collection: Collection = mongo.collection(self.collection_name)
        self._clock = clock

    async def ensure_indexes(self) -> None:
        await self._collection.ensure_indexes(self.indexes)

    async def find(self, id: str) -> SessionIngest | None:
        document = await self._collection.find_one({"_id": id})
        return self._load(document) if document else None

    async def of_session(self, session_id: str) -> list[SessionIngest]:
        return [self._load(document) for document in await self._collection.find(_of(session_id))]

    async def with_ingress(self, session_id: str, ingress_id: str) -> SessionIngest | None:
        document = await self._collection.find_one(_of(session_id) | {"ingress_id": ingress_id})
        return self._load(document) if document else None

    async def awaits_encoder(self, session_id: str) -> bool:
        return any(ingest.made for ingest in await self.of_session(session_id))

    async def claim(self, id: str, known: SessionIngest | None) -> str | None:
        """Claim the making of the ingress: the claim's name, or None if another call holds it.

        `known` is what was read before; if it has changed since, nothing is claimed.
        """
        now = self._clock.now()
        name = new_id()
        claim = {"claim": name, "claimed_until": now + CLAIMED_FOR}
        if known is None:
            try:
                await self._collection.insert({"_id": id, **claim})
            except Duplicate:
                return None
            return name
        free = {
            "_id": id,
            "closed_at": None,
            "ingress_id": known.ingress_id,
            "$or": [{"claimed_until": None}, {"claimed_until": {"$lte": now}}],
        }
        return name if await self._collection.update(free, {"$set": claim}) else None

    async def record_ingress(self, id: str, claim: str, ingress_id: str, *, is_guest: bool = False) -> bool:
        """Record the ingress made under the claim; False if the session was closed meanwhile."""
        held = {"_id": id, "claim": claim, "closed_at": None}
        before = {"claim": "", "claimed_until": "", "publishing": "", "told_at": ""}
        made = {"ingress_id": ingress_id, "made_at": self._clock.now(), "is_guest": is_guest}
        change = {"$set": made, "$unset": before}
        return bool(await self._collection.update(held, change))

    async def release(self, id: str, claim: str) -> None:
        """Give up a claim, so that the next call need not wait until it expires."""
        held = {"_id": id, "claim": claim}
        await self._collection.update(held, {"$unset": {"claim": "", "claimed_until": ""}})

    async def apply(self, session_id: str, ingress_id: str, at: datetime, *, publishing: bool) -> None:
        """An encoder has been sending since `at`, or has stopped then; a report of a later time stays."""
        older = _of(session_id) | {
            "ingress_id": ingress_id,
            "$or": [{"told_at": None}, {"told_at": {"$lte": at}}],
        }
        await self._collection.update(older, {"$set": {"publishing": publishing, "told_at": at}})

    async def forget(self, session_id: str, ingress_id: str) -> bool:
        """The ingress is gone; False if its owner has another meanwhile."""
        gone = _of(session_id) | {"ingress_id": ingress_id, "closed_at": None}
        lost = {"ingress_id": "", "made_at": "", "publishing": "", "told_at": ""}
        return bool(await self._collection.update(gone, {"$unset": lost}))

    async def list_open(self) -> list[SessionIngest]:
        """Those of sessions that are not over, as far as reported."""
        return [self._load(document) for document in await self._collection.find({"closed_at": None})]

    async def close(self, session_id: str, *, remember: bool) -> list[SessionIngest]:
        """Record that the session is over; its ingests, none if it is unknown and not to be remembered.

        The host's is first, so that whoever makes another one meanwhile learns of it.
        """
        change = {"$set": {"closed_at": self._clock.now()}}
        if remember:
            await self._collection.update({"_id": session_id}, change, upsert=True)
        await self._collection.update_many(_of(session_id), change)
        return await self.of_session(session_id)

    def _load(self, document: Document) -> SessionIngest:
        until = document.get("claimed_until")
        return SessionIngest(
            id=document["_id"],
            ingress_id=document.get("ingress_id"),
            claimed=until is not None and until > self._clock.now(),
            closed=document.get("closed_at") is not None,
            publishing=document.get("publishing", False),
            made_at=document.get("made_at"),
            is_guest=document.get("is_guest", False),
        )
