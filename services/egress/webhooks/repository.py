"""The received webhooks, by LiveKit's event id: one insert is the record, the lock and the outbox.

Bodies are not stored: they carry secrets (a room's `turnPassword`, an ingress's `streamKey`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts.event import Event
from shared.persistence.append_only import AppendOnlyCollection
from shared.persistence.mongo import ASCENDING, Index, Mongo
from shared.persistence.outbox import Outbox

# Far beyond the 6 minutes for which a replay passes the signature.
KEPT = timedelta(days=7)


@dataclass(frozen=True)
class ReceivedWebhook:
    """`id` is LiveKit's (`EV_…`), `kind` its event's name; `event` is ours that it translates to, if any."""

    id: str
    kind: str
    room: str
    received_at: datetime
    event: Event | None


class WebhookRepository:
    collection_name = "webhooks"
    indexes = (Index([("received_at", ASCENDING)], expire_after_seconds=int(KEPT.total_seconds())),)

    def __init__(self, mongo: Mongo, outbox: Outbox):
        self._webhooks = AppendOnlyCollection(mongo, self.collection_name, outbox, self.indexes)

    async def ensure_indexes(self) -> None:
        await self._webhooks.ensure_indexes()

    async def add(self, webhook: ReceivedWebhook) -> bool:
        """Store it with its event in one write; False if it was stored before. Raises `Unavailable`.

        One that was stored by an attempt whose outcome nobody learnt counts as stored now.
        """
        document = {
            "_id": webhook.id,
            "event": webhook.kind,
            "room": webhook.room,
            "received_at": webhook.received_at,
        }
        events = [webhook.event] if webhook.event else []
        added = await self._webhooks.add(document, events, webhook.received_at)
        return added or await self._webhooks.adopt(webhook.id)
