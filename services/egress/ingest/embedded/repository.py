"""Our own ingresses, each with its stream key."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from shared.livekit import Ingress
from shared.livekit.ports import IngressAudio, IngressInput, IngressVideo
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

    async def add(self, ingress: Ingress, participant_name: str, made_at: datetime) -> None:
        await self._collection.insert(
            {
                "_id": ingress.ingress_id,
                "url": ingress.url,
                "stream_key": ingress.stream_key,
                "room": ingress.room,
                "name": ingress.name,
                "identity": ingress.identity,
                "participant_name": participant_name,
                "made_at": made_at,
            }
        )

    async def delete(self, ingress_id: str) -> None:
        await self._collection.delete_many({"_id": ingress_id})

    async def list_all(self) -> Sequence[SeenIngress]:
        return [_seen(document) for document in await self._collection.find({})]

    async def of_room(self, room: str) -> Sequence[SeenIngress]:
        return [_seen(document) for document in await self._collection.find({"room": room})]

    async def ask(
        self, ingress_id: str, sent: IngressInput | None, now: datetime, *, unless_after: datetime
    ) -> None:
        """The relay asked for it now, and reports what is sent.

        Not written if it last asked after `unless_after` and reported the same.
        """
        document = asdict(sent) if sent is not None else None
        news = [{"asked_at": None}, {"asked_at": {"$lte": unless_after}}, {"input": {"$ne": document}}]
        change = {"$set": {"asked_at": now, "input": document}}
        await self._collection.update({"_id": ingress_id, "$or": news}, change)

    async def with_key(self, stream_key: str) -> tuple[Ingress, str, datetime | None] | None:
        """The ingress of a key, the name its owner is shown under, and when it was made, if that is known."""
        document = await self._collection.find_one({"stream_key": stream_key})
        if document is None:
            return None
        return _load(document), document["participant_name"], document.get("made_at")


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
        input=_input(document["input"]) if document.get("input") else None,
    )


def _input(document: Document) -> IngressInput:
    video, audio = document["video"], document["audio"]
    return IngressInput(
        video=IngressVideo(**video) if video else None,
        audio=IngressAudio(**audio) if audio else None,
        problem=document["problem"],
    )
