"""The webhooks that came in, by LiveKit's event id: the insert is the proof, the lock and the outbox.

Bodies are not kept: they carry secrets (a room's `turnPassword`, an ingress's `streamKey`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts.event import Event
from shared.persistence.mongo import ASCENDING, Collection, Document, Index, Mongo
from shared.persistence.outbox import OUTBOX_INDEX, Outbox, entries
from shared.persistence.write_batcher import WriteBatcher

# Far beyond the 6 minutes for which a replay passes the signature.
KEPT = timedelta(days=7)


@dataclass(frozen=True)
class ReceivedWebhook:
    """`id` is LiveKit's (`EV_…`), `kind` its event's name; `event` is what it means to us, if anything."""

    id: str
    kind: str
    room: str
    received_at: datetime
    event: Event | None


class WebhookRepository:
    collection_name = "webhooks"
    indexes = (
        Index([("received_at", ASCENDING)], expire_after_seconds=int(KEPT.total_seconds())),
        OUTBOX_INDEX,
    )

    def __init__(self, mongo: Mongo, outbox: Outbox):
        self._collection: Collection = mongo.collection(self.collection_name)
        self._outbox = outbox
        self._writes = WriteBatcher(self._insert)
        self._facts = outbox.attach_facts(self._collection, mongo.collection("outbox_marks"))

    async def ensure_indexes(self) -> None:
        await self._collection.ensure_indexes(self.indexes)

    async def add(self, webhook: ReceivedWebhook) -> bool:
        """Store it with its event in one write; False where it was stored before. Raises `Unavailable`.

        One that was stored by a try of which nobody learnt the outcome counts as stored now.
        """
        new = _document(webhook)
        document = new if await self._writes.add(new) else await self._left_behind(webhook.id)
        if document is not None and "outbox" in document:
            self._facts.hand_over(document)
            self._outbox.wake(self._facts)
        return document is not None

    async def _left_behind(self, webhook_id: str) -> Document | None:
        """The webhook as it is stored, where this process does not know that its event is to be published."""
        if self._facts.knows(webhook_id):
            return None
        return await self._collection.find_one({"_id": webhook_id, "outbox_at": {"$exists": True}})

    async def _insert(self, documents: Sequence[Document]) -> frozenset[int]:
        return (await self._collection.insert_many(documents)).duplicates


def _document(webhook: ReceivedWebhook) -> Document:
    document: Document = {
        "_id": webhook.id,
        "event": webhook.kind,
        "room": webhook.room,
        "received_at": webhook.received_at,
    }
    if webhook.event is not None:
        document |= {
            "outbox": entries([webhook.event], webhook.received_at),
            "outbox_at": webhook.received_at,
        }
    return document
