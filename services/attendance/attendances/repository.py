"""The attendances: one document a person and session, with a computed id.

Only who attends and since when is stored; how long is computed from the presences.
"""

import asyncio
import re
import unicodedata
from collections.abc import Sequence

from services.attendance.attendances.domain import Attendee
from services.attendance.presence.domain import attendance_id
from services.attendance.presence.joining_order import JOINING_ORDER, find_in_joining_order
from services.attendance.sessions.domain import People
from shared.persistence.batching import ReadBatcher
from shared.persistence.mongo import ASCENDING, DeleteOne, Document, Index, InsertOne, Mongo, UpdateOne

_WRITES = 500
_ALL = 2**31 - 1


class AttendanceRepository:
    """Large writes take `turns` with those of presences: concurrently, both take longer than in a row."""

    # Serves every list: the session's people in their order and, without fetching a document, whether each
    # has a matching name.
    indexes = (Index([("session_id", ASCENDING), *JOINING_ORDER, ("folded_name", ASCENDING)]),)

    def __init__(self, mongo: Mongo, turns: asyncio.Lock):
        self.collection = mongo.collection("attendances")
        self._turns = turns
        self._reads = ReadBatcher(self._read, "attendances")

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def of_people(self, session_id: str, people: People) -> dict[str, Attendee]:
        """The attendances of these people (None: of everyone) in the session, by user id."""
        if people is None:
            found = [_load(document) for document in await self.collection.find({"session_id": session_id})]
        else:
            ids = [attendance_id(session_id, user) for user in people]
            found = list((await self._reads.many(ids)).values())
        return {attendee.user_id: attendee for attendee in found}

    async def _read(self, ids: Sequence[str]) -> dict[str, Attendee]:
        documents = await self.collection.find({"_id": {"$in": list(ids)}})
        return {document["_id"]: _load(document) for document in documents}

    async def save(self, attendees: Sequence[Attendee]) -> set[str]:
        """Store each unless somebody stored another version since; returns the users of those."""
        conflicts: set[str] = set()
        for start in range(0, len(attendees), _WRITES):
            part = attendees[start : start + _WRITES]
            async with self._turns:
                refused = (await self.collection.bulk([_write(one) for one in part])).duplicates
            conflicts |= {part[position].user_id for position in refused}
        return conflicts

    async def remove(self, attendees: Sequence[Attendee]) -> None:
        """Delete those that are still in the version given."""
        await self.collection.bulk([DeleteOne({"_id": one.id, "version": one.version}) for one in attendees])

    async def remove_session(self, session_id: str) -> None:
        await self.collection.delete_many({"session_id": session_id})

    async def page(self, session_id: str, name: str | None, *, skip: int, limit: int) -> list[Attendee]:
        """The first to join first; `name` finds part of a username in any case."""
        query = named(session_id, name)
        return [
            _load(found)
            for found in await self.collection.find(query, sort=JOINING_ORDER, skip=skip, limit=limit)
        ]

    async def after(self, session_id: str, last: Attendee | None, limit: int) -> list[Attendee]:
        """The next in the same order: those behind `last`, or the first ones."""
        start = None if last is None else (last.joined_at, last.id)
        found = await find_in_joining_order(self.collection, {"session_id": session_id}, start, limit)
        return [_load(document) for document in found]

    async def count(self, session_id: str, name: str | None) -> int:
        return await self.collection.count(named(session_id, name), limit=_ALL)


def folded(name: str) -> str:
    """The name as compared: without case and compatibility forms."""
    return unicodedata.normalize("NFKC", name).casefold()


def named(session_id: str, name: str | None) -> Document:
    """The query for a session's people, or for those with `name` in theirs."""
    query: Document = {"session_id": session_id}
    if name:
        query["folded_name"] = {"$regex": re.escape(folded(name))}
    return query


def _write(attendee: Attendee) -> InsertOne[Document] | UpdateOne:
    """The guarded write; if the stored version is another it ends as a refused second insert."""
    document = {
        "session_id": attendee.session_id,
        "user_id": attendee.user_id,
        "username": attendee.username,
        "folded_name": folded(attendee.username),
        "joined_at": attendee.joined_at,
    }
    if attendee.version == 0:
        return InsertOne({"_id": attendee.id, "version": 1, **document})
    as_read = {"_id": attendee.id, "version": attendee.version}
    return UpdateOne(as_read, {"$set": document, "$inc": {"version": 1}}, upsert=True)


def _load(document: Document) -> Attendee:
    return Attendee(
        session_id=document["session_id"],
        user_id=document["user_id"],
        username=document["username"],
        joined_at=document["joined_at"],
        version=document["version"],
    )
