"""Where the journal is kept: an entry an event, by the event's id, so that each is in it once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter

from services.session.journal.domain import EntryKind, JournalEntry
from services.session.journal.event_filter import USER_OF_CONNECTION, EventFilter
from services.session.journal.period import KEPT, JournalPeriod, JournalPlace
from shared.persistence.mongo import ASCENDING, DESCENDING, Document, Index, Mongo, Sort
from shared.persistence.repository import COUNTED_TO

_ADAPTER: TypeAdapter[JournalEntry] = TypeAdapter(JournalEntry)
_BY_TIME: Sort = (("at", ASCENDING), ("place", ASCENDING))
_LATEST_FIRST: Sort = (("at", DESCENDING), ("place", DESCENDING))


class JournalRepository:
    indexes = (
        Index([("session_id", ASCENDING), ("place", ASCENDING)]),
        Index([("session_id", ASCENDING), ("kind", ASCENDING), ("place", ASCENDING)]),
        Index([("session_id", ASCENDING), ("at", ASCENDING), ("place", ASCENDING)]),
        Index([("at", ASCENDING)], expire_after_seconds=int(KEPT.total_seconds())),
    )

    def __init__(self, mongo: Mongo):
        self.collection = mongo.collection("journal")

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def add(self, entries: Sequence[JournalEntry]) -> None:
        """Append in one write; existing entries stay as they are."""
        await self.collection.insert_many([_document(entry) for entry in entries])

    async def list_page(
        self, session_id: str, kind: EntryKind | None, skip: int, limit: int
    ) -> tuple[list[JournalEntry], int]:
        """The oldest first, and how many there are."""
        query: Document = {"session_id": session_id}
        if kind is not None:
            query["kind"] = kind.value
        documents = await self.collection.find(query, sort=[("place", ASCENDING)], skip=skip, limit=limit)
        return [_entry(document) for document in documents], await self.collection.count(
            query, limit=COUNTED_TO
        )

    async def page_after(
        self, session_id: str, wanted: EventFilter, *, cursor: str | None, limit: int
    ) -> tuple[list[JournalEntry], str | None]:
        """The page that follows the place `cursor`, the oldest first, and what the next one follows.

        None for the first page, and after the last.
        """
        query = {"session_id": session_id, **wanted.query(await self._people(session_id, wanted))}
        if cursor is not None:
            query["place"] = {"$gt": cursor}
        documents = await self.collection.find(query, sort=[("place", ASCENDING)], limit=limit + 1)
        page = documents[:limit]
        return [_entry(document) for document in page], page[-1]["place"] if len(documents) > limit else None

    async def page_by_time(
        self, session_id: str, period: JournalPeriod, *, after: JournalPlace | None, limit: int
    ) -> tuple[list[JournalEntry], bool]:
        """The earliest entries after a place, in the order of their time, and whether there are more."""
        if after is not None:
            period = replace(period, since=max(after.at, period.since or after.at))
        query = {"session_id": session_id, **period.query(), **(after.query() if after else {})}
        found = await self.collection.find(query, sort=_BY_TIME, limit=limit + 1)
        return [_entry(document) for document in found[:limit]], len(found) > limit

    async def has_any(self, session_id: str) -> bool:
        return await self.collection.find_one({"session_id": session_id}, ["_id"]) is not None

    async def last_before(self, session_id: str, entry: JournalEntry) -> JournalEntry | None:
        """The entry of a session before this one, by time."""
        query = {
            "session_id": session_id,
            "at": {"$lte": entry.at},
            "$or": [{"at": {"$lt": entry.at}}, {"place": {"$lt": entry.place}}],
        }
        found = await self.collection.find(query, sort=_LATEST_FIRST, limit=1)
        return _entry(found[0]) if found else None

    async def causes(
        self, session_id: str, request_ids: Collection[str], since: datetime, until: datetime
    ) -> Mapping[str, JournalEntry]:
        """The first entry of a session with each request id, of those from `since` to `until`."""
        query = {
            "session_id": session_id,
            "at": {"$gte": since, "$lte": until},
            "request_id": {"$in": sorted(request_ids)},
        }
        found = await self.collection.find(query, sort=_BY_TIME) if request_ids else []
        first: dict[str, JournalEntry] = {}
        for document in found:
            first.setdefault(document["request_id"], _entry(document))
        return first

    async def latest(
        self, session_id: str, names: Collection[str], *, limit: int, where: Document | None = None
    ) -> list[JournalEntry]:
        """The latest entries with one of these names, the earliest of them first; `where` narrows them."""
        query = {"session_id": session_id, "name": {"$in": sorted(names)}, **(where or {})}
        found = await self.collection.find(query, sort=_LATEST_FIRST, limit=limit)
        return [_entry(document) for document in reversed(found)]

    async def _people(self, session_id: str, wanted: EventFilter) -> frozenset[str] | None:
        """The ids of the users whose entries are asked for; None for everybody's.

        Only connections say which user a customer's own id is.
        """
        if wanted.external_user_id is None:
            return None if wanted.user_id is None else frozenset({wanted.user_id})
        query = {"session_id": session_id, **wanted.people_query()}
        found = await self.collection.find(query, fields=[USER_OF_CONNECTION])
        return frozenset(document["data"]["connection"]["user_id"] for document in found)


def _document(entry: JournalEntry) -> Document:
    fields: Document = _ADAPTER.dump_python(entry)
    return {"_id": fields.pop("id"), **fields, "kind": entry.kind.value}


def _entry(document: Document) -> JournalEntry:
    return _ADAPTER.validate_python({**document, "id": document["_id"]})
