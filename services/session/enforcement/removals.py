"""Removing people from rooms when their time is over: at a moment, or so long after their first join.

What is due is stored, so that it is done whatever becomes of this process.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from services.session.sessions.domain.presence import is_person
from shared.access.room_permissions import user_of
from shared.clock import Clock
from shared.contracts.livekit_events import Connection, ParticipantJoined
from shared.contracts.reconciler_events import RosterObserved
from shared.contracts.session_events import SessionEnded
from shared.errors import AppError
from shared.livekit import LiveKit
from shared.persistence.batching import ReadBatcher
from shared.persistence.mongo import ASCENDING, Document, Duplicate, Index, Mongo

log = structlog.get_logger(__name__)

# Whose time is over, in one read; so many rooms at most are asked at once.
_AT_ONCE = 100
# Longer than any session goes on after somebody's time is over.
_KEPT = timedelta(days=2)


def time_is_over_at(connection: Connection) -> datetime | None:
    """When the person is to be removed, if this is their first join; None for never."""
    stays = timedelta(seconds=connection.remove_after) if connection.remove_after else None
    ends = [connection.remove_at, connection.joined_at + stays if stays else None]
    return min((at for at in ends if at), default=None)


@dataclass(frozen=True)
class Removal:
    """A person whose time in the session is over; `joins` counts what was reported of their joining."""

    id: str
    session_id: str
    user_id: str
    joins: int


def _id(session_id: str, user_id: str) -> str:
    return f"{session_id}:{user_id}"


class RemovalRepository:
    """One document a person and session, kept with it: whoever was removed and rejoins is removed again."""

    collection_name = "removals"
    indexes = (
        Index([("present", ASCENDING), ("due_at", ASCENDING)]),
        Index([("session_id", ASCENDING)]),
        Index([("due_at", ASCENDING)], expire_after_seconds=int(_KEPT.total_seconds())),
    )

    def __init__(self, mongo: Mongo):
        self.collection = mongo.collection(self.collection_name)
        self._scheduled = ReadBatcher(self._read, self.collection_name)

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def schedule(self, session_id: str, user_id: str, due_at: datetime | None) -> None:
        """Somebody joined; their earliest `due_at` holds, whatever a later join or token says.

        Most have none, for which there is a read and no write.
        """
        id = _id(session_id, user_id)
        if due_at is None and not await self._scheduled.one(id):
            return
        change: Document = {
            "$inc": {"joins": 1},
            "$set": {"session_id": session_id, "user_id": user_id, "present": True},
        }
        if due_at is not None:
            change["$min"] = {"due_at": due_at}
        try:
            await self.collection.update({"_id": id}, change, upsert=due_at is not None)
        except Duplicate:
            await self.collection.update({"_id": id}, change)

    async def _read(self, ids: Sequence[str]) -> dict[str, bool]:
        found = await self.collection.find({"_id": {"$in": list(ids)}}, fields=["_id"])
        return {document["_id"]: True for document in found}

    async def list_present(self, session_id: str) -> set[str]:
        """The users of the session of whom it is known that they are there and when they have to go."""
        query: Document = {"session_id": session_id, "present": True}
        return {one["user_id"] for one in await self.collection.find(query, fields=["user_id"])}

    async def list_due(self, now: datetime) -> Sequence[Removal]:
        """Of those who are there, whose time is over, the first to end first."""
        query: Document = {"present": True, "due_at": {"$lte": now}}
        due = await self.collection.find(query, sort=[("due_at", ASCENDING)], limit=_AT_ONCE)
        return [Removal(one["_id"], one["session_id"], one["user_id"], one["joins"]) for one in due]

    async def finish(self, removal: Removal) -> None:
        """They are gone, unless they have joined again meanwhile."""
        query = {"_id": removal.id, "joins": removal.joins}
        await self.collection.update(query, {"$set": {"present": False}})

    async def discard(self, session_id: str) -> None:
        await self.collection.delete_many({"session_id": session_id})


class Removals:
    def __init__(self, removals: RemovalRepository, livekit: LiveKit, clock: Clock):
        self._removals = removals
        self._livekit = livekit
        self._clock = clock

    async def joined(self, event: ParticipantJoined) -> None:
        await self._schedule(event.session_id, event.connection)

    async def follow_roster(self, event: RosterObserved) -> None:
        """A join that was not reported."""
        limited = [one for one in event.connections if time_is_over_at(one)]
        known = await self._removals.list_present(event.session_id) if limited else set()
        for one in limited:
            if one.user_id not in known:
                await self._schedule(event.session_id, one)

    async def _schedule(self, session_id: str, connection: Connection) -> None:
        if is_person(connection):
            due_at = time_is_over_at(connection)
            await self._removals.schedule(session_id, connection.user_id, due_at)

    async def forget(self, event: SessionEnded) -> None:
        """Its room is closed."""
        await self._removals.discard(event.session.id)

    async def apply_due(self) -> None:
        """Remove all whose time is over. Raises `Unavailable`."""
        more = True
        while more:
            due = await self._removals.list_due(self._clock.now())
            rooms: defaultdict[str, list[Removal]] = defaultdict(list)
            for one in due:
                rooms[one.session_id].append(one)
            done = await asyncio.gather(*(self._remove(id, those) for id, those in rooms.items()))
            more = all(done) and len(due) == _AT_ONCE

    async def _remove(self, session_id: str, due: Sequence[Removal]) -> bool:
        """All connections of these people; False, and tried again, if LiveKit is away."""
        users = {one.user_id for one in due}
        try:
            for there in await self._livekit.list_participants(session_id):
                if user_of(there.identity) in users:
                    await self._livekit.remove_participant(session_id, there.identity)
        except AppError as error:
            log.warning("removals.failed", session_id=session_id, code=error.code)
            return False
        await asyncio.gather(*(self._removals.finish(one) for one in due))
        return True
