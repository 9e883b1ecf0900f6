"""Our own ingresses, each with its stream key."""

from collections.abc import Sequence

from shared.livekit import Ingress
from shared.mongo import ASCENDING, Collection, Document, Index, Mongo


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

    async def of_room(self, room: str) -> Sequence[Ingress]:
        return [_load(document) for document in await self._collection.find({"room": room})]

    async def with_key(self, stream_key: str) -> tuple[Ingress, str] | None:
        """The ingress that the key belongs to, and the name its host is shown under."""
        document = await self._collection.find_one({"stream_key": stream_key})
        return (_load(document), document["participant_name"]) if document else None


def _load(document: Document) -> Ingress:
    return Ingress(
        ingress_id=document["_id"],
        url=document["url"],
        stream_key=document["stream_key"],
        room=document["room"],
        name=document["name"],
        identity=document["identity"],
    )
