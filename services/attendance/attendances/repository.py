"""The attendances: one document a person and session, found by a computed id."""

import asyncio
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from services.attendance.attendances.domain import Attendance, attendance_id, milliseconds_of
from services.attendance.batches import batches
from services.attendance.sessions.domain import People
from shared.clock import from_unix_ms
from shared.contracts.states import Role
from shared.mongo import ASCENDING, DeleteOne, Document, Index, InsertOne, Mongo, UpdateOne

_ORDER = (("joined_at", ASCENDING), ("_id", ASCENDING))
_WRITES = 500
_ALL = 2**31 - 1


@dataclass(frozen=True)
class Totals:
    """Sums over a session's attendances; `open_since_ms` adds up the starts of those going on."""

    attendees: int = 0
    present: int = 0
    watched_ms: int = 0
    open_since_ms: int = 0


class AttendanceRepository:
    """Large writes take `turns` with those of presences: at once, both take longer than in a row."""

    # One index serves every list: the session's people in their order, and, without fetching a
    # document, whether each is present and has a name like the one looked for.
    indexes = (
        Index(
            [("session_id", ASCENDING), *_ORDER, ("present", ASCENDING), ("folded_name", ASCENDING)],
        ),
    )

    def __init__(self, mongo: Mongo, turns: asyncio.Lock):
        self.collection = mongo.collection("attendances")
        self._turns = turns

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def of_people(self, session_id: str, people: People) -> dict[str, Attendance]:
        """The attendances of these people (None: of everyone) in the session, by user id."""
        if people is None:
            documents = await self.collection.find({"session_id": session_id})
        else:
            ids = [attendance_id(session_id, user) for user in sorted(people)]
            parts = [await self.collection.find({"_id": {"$in": part}}) for part in batches(ids)]
            documents = list(chain.from_iterable(parts))
        return {document["user_id"]: _load(document) for document in documents}

    async def save(self, attendances: Sequence[Attendance]) -> set[str]:
        """Store each unless somebody stored another version since; returns the users of those."""
        conflicts: set[str] = set()
        for part in batches(attendances, _WRITES):
            async with self._turns:
                refused = (await self.collection.bulk([_write(one) for one in part])).duplicates
            conflicts |= {part[position].user_id for position in refused}
        return conflicts

    async def remove(self, attendances: Sequence[Attendance]) -> None:
        """Delete those that are still in the version given."""
        await self.collection.bulk(
            [DeleteOne({"_id": one.id, "version": one.version}) for one in attendances]
        )

    async def remove_session(self, session_id: str) -> None:
        await self.collection.delete_many({"session_id": session_id})

    async def page(self, session_id: str, name: str | None, *, skip: int, limit: int) -> list[Attendance]:
        """The first to join first; `name` finds part of a username in any case."""
        query = named(session_id, name)
        return [
            _load(found) for found in await self.collection.find(query, sort=_ORDER, skip=skip, limit=limit)
        ]

    async def count(self, session_id: str, name: str | None) -> int:
        return await self.collection.count(named(session_id, name), limit=_ALL)

    async def present(self, session_id: str, *, limit: int) -> list[Attendance]:
        """People who are there now, the first to join first."""
        query = {"session_id": session_id, "present": True}
        return [_load(found) for found in await self.collection.find(query, sort=_ORDER, limit=limit)]

    async def count_present(self, session_id: str) -> int:
        return await self.collection.count({"session_id": session_id, "present": True}, limit=_ALL)

    async def totals(self, session_id: str) -> Totals:
        found = await self.collection.aggregate(
            [
                {"$match": {"session_id": session_id}},
                {
                    "$group": {
                        "_id": None,
                        "attendees": {"$sum": 1},
                        "present": {"$sum": {"$cond": ["$present", 1, 0]}},
                        "watched_ms": {"$sum": "$watched_ms"},
                        "open_since_ms": {"$sum": "$open_since_ms"},
                    }
                },
            ]
        )
        return Totals(**{name: found[0][name] for name in Totals.__annotations__}) if found else Totals()


def folded(name: str) -> str:
    """The name as compared: without case and compatibility forms."""
    return unicodedata.normalize("NFKC", name).casefold()


def named(session_id: str, name: str | None) -> Document:
    """The query for a session's people, or for those with `name` in theirs."""
    query: Document = {"session_id": session_id}
    if name:
        query["folded_name"] = {"$regex": re.escape(folded(name))}
    return query


def _write(attendance: Attendance) -> InsertOne[Document] | UpdateOne:
    """The guarded write; where the version is another it ends as a refused second insert."""
    document = _dump(attendance)
    if attendance.version == 0:
        return InsertOne({"_id": attendance.id, "version": 1, **document})
    as_read = {"_id": attendance.id, "version": attendance.version}
    return UpdateOne(as_read, {"$set": document, "$inc": {"version": 1}}, upsert=True)


def _dump(attendance: Attendance) -> Document:
    since = attendance.open_since
    return {
        "session_id": attendance.session_id,
        "user_id": attendance.user_id,
        "username": attendance.username,
        "folded_name": folded(attendance.username),
        "role": attendance.role.value,
        "joined_at": attendance.joined_at,
        "left_at": attendance.left_at,
        "present": attendance.present,
        "watched_ms": attendance.watched_ms,
        "open_since_ms": milliseconds_of(since) if since else 0,
        "join_count": attendance.join_count,
    }


def _load(document: Document) -> Attendance:
    return Attendance(
        session_id=document["session_id"],
        user_id=document["user_id"],
        username=document["username"],
        role=Role(document["role"]),
        joined_at=document["joined_at"],
        left_at=document["left_at"],
        watched_ms=document["watched_ms"],
        open_since=from_unix_ms(document["open_since_ms"]) if document["present"] else None,
        join_count=document["join_count"],
        version=document["version"],
    )
