"""Append-only collections, as their repositories use them: inserted once with their events, never changed.

See `outbox_append_only` for how they are published, `batching` for how they are stored.
"""

from collections.abc import Sequence
from datetime import datetime

from shared.contracts.event import Event
from shared.persistence.batching import WriteBatcher
from shared.persistence.mongo import Document, Index, Mongo
from shared.persistence.outbox import OUTBOX_INDEX, Outbox, entries


class AppendOnlyCollection:
    """One collection of them."""

    def __init__(self, mongo: Mongo, name: str, outbox: Outbox, indexes: Sequence[Index] = ()):
        self.collection = mongo.collection(name)
        self.indexes = (*indexes, OUTBOX_INDEX)
        self._outbox = outbox
        self._source = outbox.attach_append_only(self.collection, mongo.collection("outbox_marks"))
        self._writes = WriteBatcher(self._insert, name)

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def add(self, document: Document, events: Sequence[Event], now: datetime) -> bool:
        """Store a document and publish its events; False if one with its `_id` exists. Raises `Unavailable`.

        One that an attempt of unknown outcome has stored is published by the outbox's own reading.
        """
        outbox = {"outbox": entries(events, now), "outbox_at": now} if events else {}
        new = {**document, **outbox}
        stored = await self._writes.add(new)
        if stored and events:
            self._publish(new)
        return stored

    async def adopt(self, key: str) -> bool:
        """Publish now what an earlier attempt has stored without learning so; False if there is no such.

        For documents that are added again by whoever sent them. Raises `Unavailable`.
        """
        if self._source.knows(key):
            return False
        document = await self.collection.find_one({"_id": key, "outbox_at": {"$exists": True}})
        if document is not None:
            self._publish(document)
        return document is not None

    def _publish(self, document: Document) -> None:
        self._source.hand_over(document)
        self._outbox.notify(self._source)

    async def _insert(self, documents: Sequence[Document]) -> frozenset[int]:
        return (await self.collection.insert_many(documents)).duplicates
