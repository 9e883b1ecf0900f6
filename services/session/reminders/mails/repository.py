"""The mails, keyed by subject and recipient: each is planned once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from services.session.reminders.mails.domain import MailState, ReminderMail
from shared.persistence.mongo import ASCENDING, Document, Index, Mongo, UpdateOne

_KEPT_SECONDS = 90 * 24 * 3600
_ADAPTER: TypeAdapter[ReminderMail] = TypeAdapter(ReminderMail)
_FIELDS = frozenset(ReminderMail.__dataclass_fields__) - {"id"}
_OVER = {"due_at": "", "claim": "", "sender": ""}


class MailRepository:
    """`due_at` is set while it has to be sent, `claim` (an epoch) and `sender` while it is being sent."""

    indexes = (
        Index([("due_at", ASCENDING)], sparse=True),
        Index([("claim", ASCENDING)], sparse=True),
        Index([("planned_at", ASCENDING)], expire_after_seconds=_KEPT_SECONDS),
    )

    def __init__(self, mongo: Mongo):
        self.collection = mongo.collection("reminder_mails")

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def plan(self, mails: Sequence[ReminderMail], now: datetime) -> None:
        """Store those that are not planned yet; in one write."""
        await self.collection.insert_many([_document(mail, now) for mail in mails])

    async def is_planned(self, id: str) -> bool:
        """Whether this mail was planned before, whatever became of it."""
        return await self.collection.find_one({"_id": id}, fields=["_id"]) is not None

    async def free(self, epoch: int, now: datetime) -> None:
        """What somebody began to send under this epoch or an earlier one is to be sent again."""
        change: Document = {
            "$set": {"state": MailState.PLANNED.value, "due_at": now},
            "$unset": {"claim": "", "sender": ""},
        }
        await self.collection.update_many({"claim": {"$lte": epoch}}, change)

    async def claim(self, sender: str, epoch: int, now: datetime, limit: int) -> list[ReminderMail]:
        """Claim the mails that have been due longest; nobody else sends them now."""
        due = await self.collection.find(
            {"due_at": {"$lte": now}}, sort=[("due_at", ASCENDING)], limit=limit, fields=["_id"]
        )
        ids = [document["_id"] for document in due]
        taken = {"$set": {"state": MailState.SENDING.value, "claim": epoch, "sender": sender}}
        unclaimed = {"state": MailState.PLANNED.value}
        change: Document = {**taken, "$unset": {"due_at": ""}}
        await self.collection.bulk([UpdateOne({"_id": id_, **unclaimed}, change) for id_ in ids])
        mine = {"_id": {"$in": ids}, "claim": epoch, "sender": sender}
        return [_load(document) for document in await self.collection.find(mine)] if ids else []

    async def record_result(
        self, mail: ReminderMail, state: MailState, now: datetime, why: str | None = None
    ) -> None:
        """It is over: sent, refused or dropped, for the reason `why`."""
        outcome: Document = {"state": state.value, "settled_at": now, "why": why}
        await self.collection.update({"_id": mail.id}, {"$set": outcome, "$unset": _OVER})

    async def postpone(self, mail: ReminderMail, until: datetime, why: str) -> None:
        """Try again then."""
        change: Document = {
            "$set": {"state": MailState.PLANNED.value, "due_at": until, "why": why},
            "$inc": {"attempts": 1},
            "$unset": {"claim": "", "sender": ""},
        }
        await self.collection.update({"_id": mail.id, "state": MailState.SENDING.value}, change)


def _document(mail: ReminderMail, now: datetime) -> Document:
    fields: dict[str, Any] = _ADAPTER.dump_python(mail, mode="python")
    document = {"_id": fields.pop("id"), **fields, "state": MailState.PLANNED.value}
    return document | {"planned_at": now, "due_at": now}


def _load(document: Document) -> ReminderMail:
    fields = {name: value for name, value in document.items() if name in _FIELDS}
    return _ADAPTER.validate_python({"id": document["_id"], **fields})
