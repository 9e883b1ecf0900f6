"""Chat messages: one document per message, and one per deletion.

Messages are append-only, so a deletion is a document of its own: it carries the event, and is stored first.
Then the text is removed from the message, which stays as a marker.
"""

import asyncio
from datetime import datetime

from pydantic import TypeAdapter

from services.session.chat.domain import EVERYBODY, ChatMessage
from shared.clock import Clock
from shared.persistence.append_only import AppendOnlyCollection
from shared.persistence.mongo import ASCENDING, DESCENDING, Document, Index, Mongo
from shared.persistence.outbox import Outbox
from shared.persistence.repository import COUNTED_TO

_ADAPTER: TypeAdapter[ChatMessage] = TypeAdapter(ChatMessage)
_CONTENT_FIELDS = ("seen_by", "username", "text", "recipient", "file")


class ChatRepository:
    indexes = (
        # A person's messages are two streams, for everybody and for them, each read in order.
        Index([("session_id", ASCENDING), ("seen_by", ASCENDING), ("_id", DESCENDING)]),
    )

    def __init__(self, mongo: Mongo, outbox: Outbox, clock: Clock):
        self._messages = AppendOnlyCollection(mongo, "chat_messages", outbox, self.indexes)
        by_session = Index([("session_id", ASCENDING)])
        self._deletions = AppendOnlyCollection(mongo, "chat_deletions", outbox, [by_session])
        self.collection = self._messages.collection
        self._clock = clock

    async def ensure_indexes(self) -> None:
        await self._messages.ensure_indexes()
        await self._deletions.ensure_indexes()

    async def add(self, message: ChatMessage) -> bool:
        """Store it with its event; False if it exists."""
        return await self._messages.add(_document(message), message.sent(), message.created_at)

    async def find(self, id: str) -> ChatMessage | None:
        """The message; None also for a deleted one."""
        document = await self.collection.find_one({"_id": id, "seen_by": {"$exists": True}})
        return _load(document) if document else None

    async def was_deleted(self, id: str, session_id: str) -> Document | None:
        """The rest of a deleted message: its author (`user_id`), and for whom it was (`between`)."""
        return await self.collection.find_one(
            {"_id": id, "session_id": session_id, "seen_by": {"$exists": False}}
        )

    async def stream(
        self, session_id: str, seen_by: str, *, before: str | None, skip: int, limit: int
    ) -> list[ChatMessage]:
        """The messages for `seen_by` older than `before`, newest first."""
        documents = await self.collection.find(
            _stream(session_id, seen_by, before), sort=[("_id", DESCENDING)], skip=skip, limit=limit
        )
        return [_load(document) for document in documents]

    async def count(self, session_id: str, seen_by: str) -> int:
        """How many of them there are, counted to `COUNTED_TO`."""
        return await self.collection.count(_stream(session_id, seen_by, None), limit=COUNTED_TO)

    async def after(self, session_id: str, seen_by: str, after: str | None, limit: int) -> list[ChatMessage]:
        """The messages for `seen_by`, oldest first; newer than `after`, if given."""
        query = _stream(session_id, seen_by, None)
        if after is not None:
            query["_id"] = {"$gt": after}
        documents = await self.collection.find(query, sort=[("_id", ASCENDING)], limit=limit)
        return [_load(document) for document in documents]

    async def delete(self, message: ChatMessage, by: str, now: datetime) -> None:
        """Tell that it is deleted, once; then take its words out of it."""
        fact: Document = {"_id": message.id, "session_id": message.session_id, "deleted_by": by}
        await self._deletions.add(fact, message.deleted(by, now), now)
        await self.clear_content(message.id, now)

    async def clear_content(self, id: str, now: datetime) -> None:
        """Take the words out of a message that was deleted; again changes nothing."""
        found = await self.collection.find_one({"_id": id, "seen_by": {"$exists": True}})
        if found is None:
            return
        between = [] if "recipient" not in found else found["seen_by"]
        await self.collection.update(
            {"_id": id},
            {"$set": {"deleted_at": now, "between": between}, "$unset": dict.fromkeys(_CONTENT_FIELDS, "")},
        )

    async def forget_session(self, session_id: str) -> None:
        """Delete all messages of a session."""
        await self.collection.delete_many({"session_id": session_id})
        await self._deletions.collection.delete_many({"session_id": session_id})


class History:
    """Reads the two streams apart, each by its index, and no more of either than is skipped and shown."""

    def __init__(self, chat: ChatRepository):
        self._chat = chat

    async def page(
        self, session_id: str, user_id: str, *, before: str | None, skip: int, limit: int
    ) -> tuple[list[ChatMessage], int]:
        """The newest first, and how many there are in all (each stream counted to `COUNTED_TO`)."""
        direct = await self._chat.stream(session_id, user_id, before=before, skip=0, limit=skip + limit)
        # So many of all that is skipped are surely for everybody.
        surely = max(0, skip - len(direct))
        common = await self._chat.stream(
            session_id, EVERYBODY, before=before, skip=surely, limit=skip - surely + limit
        )
        both = sorted([*direct, *common], key=lambda message: message.id, reverse=True)
        shown = both[skip - surely : skip - surely + limit]
        ends = before is None and len(direct) + len(common) < skip - surely + limit
        if ends and (common or not surely):
            return shown, surely + len(direct) + len(common)
        return shown, await self._count(session_id, user_id)

    async def _count(self, session_id: str, user_id: str) -> int:
        return sum(
            await asyncio.gather(
                self._chat.count(session_id, EVERYBODY), self._chat.count(session_id, user_id)
            )
        )


def _stream(session_id: str, seen_by: str, before: str | None) -> Document:
    query: Document = {"session_id": session_id, "seen_by": seen_by}
    return query if before is None else {**query, "_id": {"$lt": before}}


def _document(message: ChatMessage) -> Document:
    fields: Document = _ADAPTER.dump_python(message)
    parts = {name: fields.pop(name) for name in ("recipient", "file")}
    document = {"_id": fields.pop("id"), "seen_by": message.seen_by, **fields}
    return document | {name: part for name, part in parts.items() if part is not None}


def _load(document: Document) -> ChatMessage:
    return _ADAPTER.validate_python({**document, "id": document["_id"]})
