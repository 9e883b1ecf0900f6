"""Where subscriptions are kept."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

from services.session.reminders.subscriptions.domain import Subscription, subscription_id
from shared.persistence.mongo import ASCENDING, Document, Duplicate, Index, InsertOne, Mongo


class SubscriptionRepository:
    indexes = (
        Index([("room_id", ASCENDING), ("active", ASCENDING), ("_id", ASCENDING)]),
        Index([("room_id", ASCENDING), ("recipient", ASCENDING)]),
        Index([("expires_at", ASCENDING)], expire_after_seconds=0),
    )

    def __init__(self, mongo: Mongo):
        self.collection = mongo.collection("reminder_subscriptions")

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def find(self, room_id: str, user_id: str) -> Subscription | None:
        document = await self.collection.find_one({"_id": subscription_id(room_id, user_id)})
        return _load(document) if document else None

    async def add(self, subscription: Subscription, expires_at: datetime | None) -> bool:
        """Store a new one, for good or until `expires_at`; False if the person has one."""
        try:
            await self.collection.insert(_dump(subscription, expires_at))
        except Duplicate:
            return False
        return True

    async def add_many(self, subscriptions: Sequence[Subscription]) -> None:
        """Store many in one write; existing ones are kept."""
        await self.collection.bulk([InsertOne(_dump(one, None)) for one in subscriptions])

    async def replace(self, subscription: Subscription, expires_at: datetime | None) -> None:
        """Another address in the place of the one there was."""
        document = _dump(subscription, expires_at)
        change: Document = {"$set": {name: value for name, value in document.items() if name != "_id"}}
        if expires_at is None:
            change["$unset"] = {"expires_at": ""}
        await self.collection.update({"_id": subscription.id}, change)

    async def remove(self, room_id: str, user_id: str) -> None:
        await self.collection.delete_many({"_id": subscription_id(room_id, user_id)})

    async def remove_recipient(self, room_id: str, recipient: str) -> None:
        await self.collection.delete_many({"room_id": room_id, "recipient": recipient})

    async def confirm(self, room_id: str, recipient: str) -> bool:
        """Confirm the address; False if nobody gave it, or the subscription was ended."""
        query = {"room_id": room_id, "recipient": recipient}
        await self.collection.update_many(query, {"$set": {"active": True}, "$unset": {"expires_at": ""}})
        return bool(await self.collection.count(query, limit=1))

    async def active_among(self, ids: Sequence[str]) -> set[str]:
        """Those of these subscriptions that are still there, and confirmed."""
        found = await self.collection.find({"_id": {"$in": list(ids)}}, fields=["active"])
        return {document["_id"] for document in found if document["active"]}

    async def page(self, room_id: str, after: str, limit: int) -> list[Subscription]:
        """The active ones of a room behind the id `after`, in the order of ids."""
        query = {"room_id": room_id, "active": True, "_id": {"$gt": after}}
        found = await self.collection.find(query, sort=[("_id", ASCENDING)], limit=limit)
        return [_load(document) for document in found]

    async def expire(self, room_id: str, at: datetime) -> None:
        """The room was deleted: they expire once its subscribers got their mails."""
        await self.collection.update_many({"room_id": room_id}, {"$set": {"expires_at": at}})


def _dump(subscription: Subscription, expires_at: datetime | None) -> Document:
    document: Document = {"_id": subscription.id, **vars(subscription)}
    return document if expires_at is None else {**document, "expires_at": expires_at}


def _load(document: Document) -> Subscription:
    return Subscription(**{field.name: document[field.name] for field in fields(Subscription)})
