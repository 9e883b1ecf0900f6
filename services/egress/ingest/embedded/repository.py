"""Our own ingresses, each with its stream key."""

from collections.abc import Sequence
from datetime import datetime

from shared.livekit import Ingress
from shared.persistence.mongo import ASCENDING, Collection, Document, Index, Mongo

# An ingress, and when the relay last asked for it.
SeenIngress = tuple[Ingress, datetime | None]


class IngressRepository:
    collection_name = "ingresses"
    indexes = (
        Index([("stream_key", ASCENDING)], unique=True),
        Index([("room", ASCENDING)]),
    )

    def __init__(self, mongo: Mongo):
        self._collection: Collection = mongo.collection(self.collection_name)

    async def ensure_indexes(self) -> None:
        await self._collection.ensure_indexes(self.indexes)

    async def add(self, ingress: Ingress, participant_name: str) -> None:
        await self._collection.insert(
            {
                "_id": ingress.ingress_id,
                "url": ingress.url,
                "stream_key": ingress.stream_key,
                "room": ingress.room,
                "name": ingress.name,
                "identity": ingress.identity,
                "participant_name": participant_name,
            }
        )

    async def delete(self, ingress_id: str) -> None:
        await self._collection.delete_many({"_id": ingress_id})

    async def list_all(self) -> Sequence[SeenIngress]:
        return [_seen(document) for document in await self._collection.find({})]

    async def of_room(self, room: str) -> Sequence[SeenIngress]:
        return [_seen(document) for document in await self._collection.find({"room": room})]

    async def ask(self, ingress_id: str, now: datetime, *, unless_after: datetime) -> None:
        """The relay asked for it now; not written if it last asked after `unless_after`."""
        older = {"_id": ingress_id, "$or": [{"asked_at": None}, {"asked_at": {"$lte": unless_after}}]}
        await self._collection.update(older, {"$set": {"asked_at": now}})

    async def with_key(self, stream_key: str) -> tuple[Ingress, str] | None:
        """The ingress that the key belongs to, and the name its host is shown under."""
        document = await self._collection.find_one({"stream_key": stream_key})
        return (_load(document), document["participant_name"]) if document else None


def _seen(document: Document) -> SeenIngress:
    return _load(document), document.get("asked_at")


def _load(document: Document) -> Ingress:
    return Ingress(
        ingress_id=document["_id"],
        url=document["url"],
        stream_key=document["stream_key"],
        room=document["room"],
        name=document["name"],
        identity=document["identity"],
    )
