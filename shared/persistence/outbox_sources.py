"""Collections of documents that change and carry outboxes: what the relay reads of them, and clears."""

from dataclasses import dataclass
from datetime import datetime

from shared.persistence.mongo import ASCENDING, Collection, DeleteOne, Document, UpdateOne


@dataclass(frozen=True)
class Confirmed:
    """Entries of one document that the broker has, and whether those are all it had at `version`."""

    version: int | None
    ids: frozenset[str]
    complete: bool
    tombstone: bool


class AggregateSource:
    """A collection of documents that change; what of it is confirmed but not yet cleared.

    What was cleared is remembered until the next reading begins: one under way may still show it.
    """

    def __init__(self, collection: Collection):
        self.collection = collection
        # Whether it was written to since it was last read.
        self.has_new = False
        self.confirmed: dict[str, Confirmed] = {}
        self._cleared: dict[str, frozenset[str]] = {}

    def done(self, key: str) -> frozenset[str]:
        """The ids of its entries that the broker has."""
        confirmed, cleared = self.confirmed.get(key), self._cleared.get(key, frozenset())
        return confirmed.ids | cleared if confirmed else cleared

    def confirm(self, document: Document, done: set[str]) -> None:
        self.confirmed[document["_id"]] = Confirmed(
            version=document.get("version"),
            ids=frozenset(done),
            complete=all(entry["id"] in done for entry in document["outbox"]),
            tombstone=document.get("tombstone", False),
        )

    async def waiting(self, limit: int, *, thorough: bool) -> list[Document]:
        """Documents with entries to publish, the oldest first, up to `limit`."""
        del thorough  # reading is the only way
        self._cleared.clear()
        documents = await self.collection.find(
            {"outbox_at": {"$exists": True}},
            sort=[("outbox_at", ASCENDING)],
            limit=limit + len(self.confirmed),
            fields=["outbox", "version", "tombstone"],
        )
        return [document for document in documents if self._unconfirmed(document)]

    def _unconfirmed(self, document: Document) -> bool:
        done = self.done(document["_id"])
        return any(entry["id"] not in done for entry in document.get("outbox", []))

    async def oldest(self) -> datetime | None:
        """The time of the oldest event that is stored and not cleared."""
        documents = await self.collection.find(
            {"outbox_at": {"$exists": True}}, sort=[("outbox_at", ASCENDING)], limit=1, fields=["outbox_at"]
        )
        return documents[0]["outbox_at"] if documents else None

    async def clear(self, *, thorough: bool) -> None:
        """Take what was confirmed out of the documents, in bulk."""
        del thorough  # it is never put off
        confirmed = dict(self.confirmed)
        if not confirmed:
            return
        await self._clear(confirmed)
        for key, value in confirmed.items():
            if self.confirmed.get(key) is value:
                del self.confirmed[key]
                self._cleared[key] = self._cleared.get(key, frozenset()) | value.ids

    async def _clear(self, confirmed: dict[str, Confirmed]) -> None:
        """Empty the outboxes whose version is as read; pull the confirmed entries from the others."""
        complete = {key: value for key, value in confirmed.items() if value.complete}
        outcome = await self.collection.bulk([_clearing(key, value) for key, value in complete.items()])
        if outcome.matched == len(confirmed):
            return
        left = await self.collection.find(
            {"_id": {"$in": list(confirmed)}, "outbox_at": {"$exists": True}}, fields=["_id"]
        )
        keys = [document["_id"] for document in left]
        await self.collection.bulk(
            [
                UpdateOne({"_id": key}, {"$pull": {"outbox": {"id": {"$in": sorted(confirmed[key].ids)}}}})
                for key in keys
            ]
        )
        await self.collection.bulk(
            [UpdateOne({"_id": key, "outbox": []}, {"$unset": {"outbox_at": ""}}) for key in keys]
        )


def _clearing(key: str, confirmed: Confirmed) -> UpdateOne | DeleteOne:
    as_read: Document = {"_id": key, "version": confirmed.version}
    if confirmed.tombstone:
        return DeleteOne(as_read)
    return UpdateOne(as_read, {"$set": {"outbox": []}, "$unset": {"outbox_at": ""}})
