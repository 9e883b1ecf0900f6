"""Aggregates in MongoDB: a change and the events it caused are one document write.

An aggregate is a dataclass with `id` and `version`; its document has the same fields, `_id` for `id`,
and `outbox`/`outbox_at` (see `outbox.py`). A change is written as the difference to what was read
(`$set`/`$unset`), with `$push` for the events and `$inc version`, guarded by the version read.
"""

import asyncio
import dataclasses
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import TypeAdapter

from shared.clock import Clock
from shared.contracts.event import Event
from shared.errors import Conflict, NotFound
from shared.persistence.batching import ReadBatcher, WriteBatcher
from shared.persistence.mongo import DESCENDING, Collection, Document, Duplicate, Index, Mongo, Sort
from shared.persistence.outbox import OUTBOX_INDEX, Outbox, entries
from shared.runtime.tasks import KeyedLocks

# Totals of lists are exact up to here and counted no further.
COUNTED_TO = 10_000

_NEWEST_FIRST: Sort = (("_id", DESCENDING),)
_ATTEMPTS = 20
_STEP_ASIDE = 0.005
_NOT_OURS = frozenset({"outbox", "outbox_at", "tombstone"})


class Aggregate(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]

    id: str
    version: int


T = TypeVar("T", bound=Aggregate)


class Repository(Generic[T]):
    """The aggregates of one collection. Subclasses name it and add their queries."""

    collection_name: ClassVar[str]
    noun: ClassVar[str]
    indexes: ClassVar[tuple[Index, ...]] = ()
    entity: type[T]  # a dataclass

    def __init__(self, mongo: Mongo, outbox: Outbox, clock: Clock):
        self.collection: Collection = mongo.collection(self.collection_name)
        self._outbox = outbox
        self._clock = clock
        self._adapter: TypeAdapter[T] = TypeAdapter(self.entity)
        self._fields = frozenset(field.name for field in dataclasses.fields(self.entity)) - {"id", "version"}
        self._source = outbox.attach(self.collection)
        self._reads = ReadBatcher(self._read, self.collection_name)
        self._inserts = WriteBatcher(self._insert, self.collection_name)
        self._locks = KeyedLocks()

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes([*self.indexes, OUTBOX_INDEX])

    async def find(self, id: str) -> T | None:
        document = await self._document(id)
        return self.load(document) if document else None

    async def _existing(self, id: str) -> Document:
        document = await self._document(id)
        if document is None:
            raise NotFound.of(self.noun)
        return document

    async def _document(self, id: str) -> Document | None:
        document = await self._reads.one(id)
        return None if document is None or "tombstone" in document else document

    async def get(self, id: str) -> T:
        found = await self.find(id)
        if found is None:
            raise NotFound.of(self.noun)
        return found

    async def find_many(self, ids: Sequence[str]) -> dict[str, T]:
        """Those of `ids` that exist, by id."""
        documents = await self._reads.many(ids)
        return {
            id_: self.load(document) for id_, document in documents.items() if "tombstone" not in document
        }

    async def _read(self, ids: Sequence[str]) -> dict[str, Document]:
        wanted = {"$in": list(ids)} if len(ids) > 1 else ids[0]
        return {document["_id"]: document for document in await self.collection.find({"_id": wanted})}

    async def find_where(self, query: Document) -> T | None:
        document = await self.collection.find_one(query)
        return self.load(document) if document else None

    async def list_where(self, query: Document, *, limit: int = 0) -> list[T]:
        return [self.load(document) for document in await self.collection.find(query, limit=limit)]

    async def page(
        self, query: Document, *, skip: int, limit: int, sort: Sort = _NEWEST_FIRST
    ) -> tuple[list[T], int]:
        """One page, the newest first, and how many match (counted to `COUNTED_TO`)."""
        documents = await self.collection.find(query, sort=sort, skip=skip, limit=limit)
        page = [self.load(document) for document in documents if "tombstone" not in document]
        if 0 < len(documents) < limit or (not documents and not skip):
            # The list ends here, so its length is known.
            return page, skip + len(page)
        return page, await self.collection.count(query, limit=COUNTED_TO)

    async def page_after(
        self, query: Document, *, cursor: str | None, limit: int
    ) -> tuple[list[T], str | None]:
        """The page that follows the aggregate `cursor`, the newest first, and what the next one follows.

        None for the first page, and after the last. Nothing is counted, so that no page costs more than the
        first, and none is shown twice or left out, whatever is added meanwhile. `query` says nothing of ids
        but by operators other than `$lt`.
        """
        ids = query.get("_id", {}) | ({"$lt": cursor} if cursor else {})
        documents = await self.collection.find(
            query | {"_id": ids} if ids else query, sort=_NEWEST_FIRST, limit=limit + 1
        )
        page = documents[:limit]
        shown = [self.load(document) for document in page if "tombstone" not in document]
        return shown, page[-1]["_id"] if len(documents) > limit else None

    async def discard(self, id: str) -> None:
        """Delete what publishes no events; see `remove` for what does."""
        await self.collection.delete_many({"_id": id})

    async def add(self, aggregate: T, events: Sequence[Event]) -> None:
        """Store a new aggregate with its events; raises `shared.persistence.mongo.Duplicate`."""
        with self._publishing():
            if not await self._inserts.add(self._new(aggregate, events)):
                raise Duplicate(f"There is such a {self.noun}")
        self._stored(events)

    async def add_many(self, aggregates: Sequence[tuple[T, Sequence[Event]]]) -> None:
        """Store new aggregates, each with its events, in one write; those whose id is taken are left out."""
        if aggregates:
            with self._publishing():
                await self._insert([self._new(one, events) for one, events in aggregates])

    def _new(self, aggregate: T, events: Sequence[Event]) -> Document:
        document = self.dump(aggregate)
        if events:
            now = self._clock.now()
            document |= {"outbox": entries(events, now), "outbox_at": now}
        return document

    async def _insert(self, documents: Sequence[Document]) -> frozenset[int]:
        return (await self.collection.insert_many(documents)).duplicates

    async def change(self, id: str, decide: Callable[[T], Sequence[Event]]) -> T:
        """Load, let `decide` change the aggregate and return the events, save; again if somebody was faster.

        `decide` sees the aggregate with the version it will be saved as, and may run several times.
        If it changes nothing and returns nothing, nothing is written. Raises `NotFound`, whatever
        `decide` raises, `Duplicate`, and `Conflict` if other processes keep being faster.
        """
        changed = None if self._locks.taken(id) else await self._try(id, decide)
        if changed is not None:
            return changed
        # Under contention all but one fail each time; those of one process take turns instead.
        async with self._locks.of(id):
            for attempt in range(_ATTEMPTS):
                await _step_aside(attempt)
                changed = await self._try(id, decide)
                if changed is not None:
                    return changed
        raise Conflict(f"The {self.noun} is being changed by others; try again", code="concurrent_change")

    async def _try(self, id: str, decide: Callable[[T], Sequence[Event]]) -> T | None:
        """The aggregate as `decide` left it; None if somebody else changed it meanwhile."""
        before = await self._existing(id)
        aggregate = self.load(before)
        aggregate.version += 1
        events = decide(aggregate)
        change = self._difference(before, self.dump(aggregate))
        if not change and not events:
            aggregate.version -= 1
            return aggregate
        return aggregate if await self._write(before, change, events) else None

    async def remove(self, id: str, decide: Callable[[T], Sequence[Event]]) -> T:
        """Delete by a tombstone: the content goes now, the document once its events are confirmed.

        `decide` must return at least one event.
        """
        for _ in range(_ATTEMPTS):
            before = await self._existing(id)
            aggregate = self.load(before)
            aggregate.version += 1
            events = decide(aggregate)
            content = {name: "" for name in before if name not in {"_id", "version", *_NOT_OURS}}
            if await self._write(before, {"$set": {"tombstone": True}, "$unset": content}, events):
                return aggregate
        raise Conflict(f"The {self.noun} is being changed by others; try again", code="concurrent_change")

    async def _write(self, before: Document, change: Document, events: Sequence[Event]) -> bool:
        now = self._clock.now()
        write: Document = {**change, "$inc": {"version": 1}}
        if events:
            write["$push"] = {"outbox": {"$each": entries(events, now)}}
            write["$set"] = {**change.get("$set", {}), "outbox_at": before.get("outbox_at", now)}
        as_read = {"_id": before["_id"], "version": before["version"]}
        with self._publishing():
            written = bool(await self.collection.update(as_read, write))
        if written:
            self._stored(events)
        return written

    def _stored(self, events: Sequence[Event]) -> None:
        """These were stored by `add`, `change` or `remove`: for subclasses that want to know."""

    @contextmanager
    def _publishing(self) -> Iterator[None]:
        """Around a write. One that failed may have been stored all the same, so the relay looks then, too."""
        try:
            yield
        finally:
            self._outbox.notify(self._source)

    def _difference(self, before: Document, after: Document) -> Document:
        """What to write; fields of the document that the aggregate does not have are left alone."""
        changed = {
            name: after[name]
            for name in self._fields
            if name in after and (name not in before or before[name] != after[name])
        }
        # A stored null is None already: to unset it would undo what another update has set since.
        gone = {name: "" for name in self._fields if before.get(name) is not None and name not in after}
        change: Document = {}
        if changed:
            change["$set"] = changed
        if gone:
            change["$unset"] = gone
        return change

    def load(self, document: Document) -> T:
        fields: dict[str, Any] = {name: value for name, value in document.items() if name in self._fields}
        fields |= {"id": document["_id"], "version": document["version"]}
        return self._adapter.validate_python(fields)

    def dump(self, aggregate: T) -> Document:
        """The document of `aggregate`; None is left out, so that sparse indexes skip it."""
        fields: Document = self._adapter.dump_python(aggregate, mode="python")
        document = {"_id": fields.pop("id")}
        document.update({name: value for name, value in fields.items() if value is not None})
        return document


async def _step_aside(attempt: int) -> None:
    """Let others finish before the next attempt: the longer the more of them there seem to be."""
    if attempt:
        await asyncio.sleep(random.uniform(0, _STEP_ASIDE * 2 ** min(attempt, 6)))  # noqa: S311
