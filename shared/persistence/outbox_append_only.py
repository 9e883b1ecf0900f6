"""Append-only collections: documents inserted once together with their events, and never changed.

No order is kept between them, so what this process has stored is published without being read back.
The store is read for what this process does not know of: everything at the start, for an earlier life of
its own, then once through with a lag, for replicas that died and for inserts whose outcome was not reported.

Taking what was published out of the index costs the local database three times an insert and keeps
inserts waiting (measured: p99 of an insert at 300/s is 215 ms beside it and 10 ms without), hence that
is done when it is calm, or when there is too much of it. A mark says how far all is published, so that
after a crash only the last seconds are published again.
"""

import asyncio
from datetime import datetime, timedelta
from itertools import islice

from shared.clock import Clock
from shared.persistence.mongo import ASCENDING, Collection, Document, UpdateOne

# Longer than an insert can be in flight, so that whatever is older has been stored or never will be.
_LAG = timedelta(seconds=15)
# More than passes between two readings, so that they catch up.
_SLICE = timedelta(seconds=15)
# Seconds without a new document that make it calm.
_CALM = 0.3
# Published documents that are not cleared: beyond this, clear a chunk at a time also when it is not calm.
_UNCLEARED = 10_000
_CHUNK = 200
# Between two marks of how far all is published.
_MARKED_EVERY = timedelta(seconds=2)
# Documents waiting for a broker that is away: beyond this they are left to the reading of the store.
_REMEMBERED = 5_000


class AppendOnlySource:
    """What the relay needs to know of one append-only collection."""

    def __init__(self, collection: Collection, marks: Collection, clock: Clock):
        self.collection = collection
        self.has_new = False
        self._marks = marks
        self._clock = clock
        self._pending: dict[str, Document] = {}
        # When those were stored that the last reading of the store found, the earliest first.
        self._found: dict[str, datetime] = {}
        self._published: dict[str, None] = {}
        self._handed_over_at = 0.0
        # Everything stored with an earlier time is published; None until the store was read through.
        self._read_to: datetime | None = None
        self._marked: datetime | None = None

    def hand_over(self, document: Document) -> None:
        """Publish this next; its insert must have been acknowledged."""
        self._handed_over_at = asyncio.get_running_loop().time()
        if len(self._pending) < _REMEMBERED:
            self._pending[document["_id"]] = document

    def knows(self, key: str) -> bool:
        """Whether it waits to be published here, or was and is not yet cleared."""
        return key in self._pending or key in self._published

    def done(self, key: str) -> frozenset[str]:
        """Of a document that is published again, all is."""
        del key
        return frozenset()

    def confirm(self, document: Document, done: set[str]) -> None:
        if all(entry["id"] in done for entry in document["outbox"]):
            self._pending.pop(document["_id"], None)
            self._found.pop(document["_id"], None)
            self._published[document["_id"]] = None

    async def waiting(self, limit: int, *, thorough: bool) -> list[Document]:
        """Documents to publish: those handed over and, if `thorough`, those found in the store."""
        found = await self._read(limit) if thorough else []
        waiting = dict(islice(self._pending.items(), limit))
        return list((waiting | {document["_id"]: document for document in found}).values())

    async def oldest(self) -> datetime | None:
        """The time of the oldest event that this process knows to wait."""
        pending = (document["outbox_at"] for document in self._pending.values())
        firsts = [next(pending, None), next(iter(self._found.values()), None)]
        return min((first for first in firsts if first is not None), default=None)

    async def _read(self, limit: int) -> list[Document]:
        """What of the next part of the store is not published; goes on to another when there is none."""
        settled = self._clock.now() - _LAG
        if self._read_to is None:
            part = await self._left_behind()
        else:
            settled = min(settled, self._read_to + _SLICE)
            part = {"$gte": self._read_to, "$lt": settled}
        known = frozenset(self._published)
        documents = await self.collection.find(
            {"outbox_at": part},
            sort=[("outbox_at", ASCENDING)],
            limit=limit + len(known),
            fields=["outbox", "outbox_at"],
        )
        found = [document for document in documents if document["_id"] not in known]
        self._found = {document["_id"]: document["outbox_at"] for document in found}
        if not found:
            self._read_to = max(settled, self._read_to or settled)
        return found

    async def _left_behind(self) -> Document:
        """What an earlier life may have left: all from its mark on. What is before has only to be cleared."""
        mark = await self._marks.find_one({"_id": self.collection.name})
        if mark is None:
            return {"$exists": True}
        done = await self.collection.find({"outbox_at": {"$lt": mark["published_to"]}}, fields=["_id"])
        self._published.update(dict.fromkeys(document["_id"] for document in done))
        return {"$gte": mark["published_to"]}

    async def _mark(self) -> None:
        if self._read_to is None or (self._marked and self._read_to < self._marked + _MARKED_EVERY):
            return
        change = {"$max": {"published_to": self._read_to}}
        await self._marks.update({"_id": self.collection.name}, change, upsert=True)
        self._marked = self._read_to

    async def clear(self, *, thorough: bool) -> None:
        """Take what was published out of the index: all of it, or as much as the moment allows.

        Write by write, since a single one for all would hold up every insert.
        """
        await self._mark()
        while self._published and (thorough or self._calm or len(self._published) > _UNCLEARED):
            keys = list(islice(self._published, _CHUNK))
            change = {"$unset": {"outbox": "", "outbox_at": ""}}
            await self.collection.bulk([UpdateOne({"_id": key}, change) for key in keys])
            for key in keys:
                self._published.pop(key, None)
            if not (thorough or self._calm):
                return

    @property
    def _calm(self) -> bool:
        return asyncio.get_running_loop().time() - self._handed_over_at > _CALM
