"""The presences: one document a connection, its id LiveKit's participant sid."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import chain

from services.attendance.batches import batches
from services.attendance.presence.domain import Fact, Presence
from services.attendance.sessions.domain import People
from shared.contracts.states import Role
from shared.mongo import ASCENDING, Document, Index, Mongo, UpdateOne


class PresenceRepository:
    """Large writes take `turns` with those of attendances: at once, both take longer than in a row."""

    indexes = (Index([("session_id", ASCENDING), ("user_id", ASCENDING)]),)

    def __init__(self, mongo: Mongo, turns: asyncio.Lock):
        self.collection = mongo.collection("presences")
        self._turns = turns

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def record(self, facts: Sequence[Fact]) -> None:
        """Add facts of different connections, in two writes at most.

        All are inserted; those whose connection is known are refused and then merged into it. An
        insert costs a fraction of an update or upsert, a refused one next to nothing.
        """
        async with self._turns:
            refused = (await self.collection.insert_many([_document(fact) for fact in facts])).duplicates
            await self.collection.bulk([_merge(facts[position]) for position in sorted(refused)])

    async def close(self, session_id: str, user_id: str, identity: str, at: datetime) -> None:
        """End the open intervals of one sign-in."""
        open_ones = {
            "session_id": session_id,
            "user_id": user_id,
            "identity": identity,
            "left_at": {"$exists": False},
        }
        await self.collection.update_many(open_ones, {"$min": {"left_at": at}})

    async def by_person(self, session_id: str, people: People) -> dict[str, list[Presence]]:
        """The presences of these people (None: of everyone) in the session, by user id."""
        if people is None:
            documents = await self.collection.find({"session_id": session_id})
        else:
            parts = [
                await self.collection.find({"session_id": session_id, "user_id": {"$in": part}})
                for part in batches(sorted(people))
            ]
            documents = list(chain.from_iterable(parts))
        found: dict[str, list[Presence]] = defaultdict(list)
        for document in documents:
            found[document["user_id"]].append(_load(document))
        return found

    async def remove_session(self, session_id: str) -> None:
        await self.collection.delete_many({"session_id": session_id})


def _document(fact: Fact) -> Document:
    document: Document = {
        "_id": fact.id,
        "session_id": fact.session_id,
        "user_id": fact.user_id,
        "identity": fact.identity,
        "username": fact.username,
        "role": fact.role.value,
        "counted": fact.counted,
        "active": fact.active,
        "joined_at": fact.joined_at,
    }
    return document if fact.left_at is None else {**document, "left_at": fact.left_at}


def _merge(fact: Fact) -> UpdateOne:
    """The update that has the same effect as `Fact.merged`; $min and $max order false before true."""
    least: Document = {"joined_at": fact.joined_at, "counted": fact.counted}
    if fact.left_at is not None:
        least["left_at"] = fact.left_at
    change: Document = {"$min": least, "$max": {"active": fact.active}}
    if fact.described:
        change["$set"] = {
            "user_id": fact.user_id,
            "identity": fact.identity,
            "username": fact.username,
            "role": fact.role.value,
        }
    return UpdateOne({"_id": fact.id}, change)


def _load(document: Document) -> Presence:
    return Presence(
        user_id=document["user_id"],
        username=document["username"],
        role=Role(document["role"]),
        counted=document["counted"],
        active=document["active"],
        joined_at=document["joined_at"],
        left_at=document.get("left_at"),
        estimated_left_at=document.get("estimated_left_at"),
    )
