"""The presences: one document a connection, its id LiveKit's participant sid."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from services.attendance.presence.domain import ConnectionUpdate, Presence
from services.attendance.sessions.domain import People
from shared.contracts.states import Role
from shared.persistence.mongo import ASCENDING, Document, Index, Mongo, UpdateOne

# The local database compares every document found with every value of an $in: its cost is the square.
_PEOPLE_AT_ONCE = 50
_WATCHING = ("session_id", "open", "counted", "active")


PRESENCES: Final = "presences"


class PresenceRepository:
    """Large writes take `turns` with those of attendances: concurrently, both take longer than in a row."""

    indexes = (
        Index([("session_id", ASCENDING), ("user_id", ASCENDING)]),
        # Whoever is there now, in order, and without fetching a document how many people they are.
        Index([*((name, ASCENDING) for name in (*_WATCHING, "joined_at", "user_id"))]),
    )

    def __init__(self, mongo: Mongo, turns: asyncio.Lock):
        self.collection = mongo.collection(PRESENCES)
        self._turns = turns

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def record(self, updates: Sequence[ConnectionUpdate]) -> list[ConnectionUpdate]:
        """Add updates of different connections, in two writes at most; returns those of known ones.

        All are inserted; those whose connection is known are refused and then merged into it. An
        insert costs a fraction of an update or upsert, a refused one next to nothing.
        """
        async with self._turns:
            refused = (await self.collection.insert_many([_document(one) for one in updates])).duplicates
            known = [updates[position] for position in sorted(refused)]
            await self.collection.bulk([_merge(update) for update in known])
        return known

    async def close(self, session_id: str, user_id: str, identity: str, at: datetime) -> None:
        """End the open intervals of one sign-in."""
        open_ones = {
            "session_id": session_id,
            "user_id": user_id,
            "identity": identity,
            "open": True,
        }
        await self.collection.update_many(open_ones, {"$min": {"left_at": at, "open": False}})

    async def open_in(self, session_id: str, room_sid: str) -> dict[str, datetime]:
        """When each open connection to this room of the session joined, by sid."""
        query = {"session_id": session_id, "open": True, "room_sid": room_sid}
        found = await self.collection.find(query, fields=["joined_at"])
        return {document["_id"]: document["joined_at"] for document in found}

    async def presume_left(self, gone: Mapping[str, datetime]) -> None:
        """End open intervals, by sid, at an estimated time; LiveKit's own report outranks it."""
        async with self._turns:
            await self.collection.bulk(
                [
                    UpdateOne({"_id": sid, "open": True}, {"$set": {"estimated_left_at": at, "open": False}})
                    for sid, at in gone.items()
                ]
            )

    async def exclude(self, session_id: str, since: Mapping[str, datetime]) -> None:
        """Count no connection, by user id, that joined at that time or later."""
        for user_id, moment in since.items():
            theirs = {"session_id": session_id, "user_id": user_id, "joined_at": {"$gte": moment}}
            await self.collection.update_many(theirs, {"$set": {"counted": False}})

    async def reopen(self, sids: Iterable[str], seen_at: datetime) -> None:
        """Take back estimates of connections that were seen after they were presumed to have left."""
        mistaken = {"left_at": {"$exists": False}, "estimated_left_at": {"$lt": seen_at}}
        change = {"$set": {"open": True}, "$unset": {"estimated_left_at": ""}}
        async with self._turns:
            await self.collection.bulk([UpdateOne({"_id": sid, **mistaken}, change) for sid in sids])

    async def watching(self, session_id: str, *, limit: int) -> list[Presence]:
        """Viewers' connections that are there now, the first to join first."""
        order = [("joined_at", ASCENDING), ("user_id", ASCENDING)]
        found = await self.collection.find(_watching(session_id), sort=order, limit=limit)
        return [load_presence(document) for document in found]

    async def count_watching(self, session_id: str, *, without: frozenset[str]) -> int:
        """How many people they are, except those in `without`."""
        counted = await self.collection.aggregate(
            [
                {"$match": _watching(session_id)},
                {"$group": {"_id": "$user_id"}},
                {"$match": {"_id": {"$nin": sorted(without)}}},
                {"$count": "people"},
            ]
        )
        return int(counted[0]["people"]) if counted else 0

    async def by_person(self, session_id: str, people: People) -> dict[str, list[Presence]]:
        """The presences of these people (None: of everyone) in the session, by user id."""
        if people is None:
            documents = await self.collection.find({"session_id": session_id})
        else:
            users, documents = sorted(people), []
            for start in range(0, len(users), _PEOPLE_AT_ONCE):
                some = users[start : start + _PEOPLE_AT_ONCE]
                query = {"session_id": session_id, "user_id": {"$in": some}}
                documents += await self.collection.find(query)
        found: dict[str, list[Presence]] = defaultdict(list)
        for document in documents:
            found[document["user_id"]].append(load_presence(document))
        return found

    async def sessions_among(self, session_ids: Sequence[str]) -> set[str]:
        """Those of these sessions that anybody ever connected to."""
        if not session_ids:
            return set()
        found = await self.collection.aggregate(
            [{"$match": {"session_id": {"$in": list(session_ids)}}}, {"$group": {"_id": "$session_id"}}]
        )
        return {document["_id"] for document in found}

    async def remove_session(self, session_id: str) -> None:
        await self.collection.delete_many({"session_id": session_id})


def _watching(session_id: str) -> Document:
    return dict(zip(_WATCHING, (session_id, True, True, True), strict=True))


def _document(update: ConnectionUpdate) -> Document:
    document = _description(update) | {
        "_id": update.id,
        "session_id": update.session_id,
        "counted": update.counted,
        "active": update.active,
        "open": update.left_at is None,
        "room_sid": update.room_sid,
        "joined_at": update.joined_at,
    }
    return document if update.left_at is None else {**document, "left_at": update.left_at}


def _merge(update: ConnectionUpdate) -> UpdateOne:
    """The update that has the same effect as `merged`; $min and $max order false before true."""
    least: Document = {"joined_at": update.joined_at, "counted": update.counted}
    if update.left_at is not None:
        least |= {"left_at": update.left_at, "open": False}
    change: Document = {"$min": least, "$max": {"active": update.active}}
    return UpdateOne(
        {"_id": update.id}, change | {"$set": _description(update)} if update.described else change
    )


def _description(update: ConnectionUpdate) -> Document:
    return {
        "user_id": update.user_id,
        "identity": update.identity,
        "username": update.username,
        "role": update.role.value,
        "person": update.person,
        "external_user_id": update.external_user_id,
    }


def load_presence(document: Document) -> Presence:
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
