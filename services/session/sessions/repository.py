"""Where sessions are kept."""

import asyncio
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from services.session.catalog.rooms.domain import RoomStanding
from services.session.sessions import metrics
from services.session.sessions.domain.session import Session
from services.session.sessions.session_filter import SessionFilter
from shared.clock import Clock
from shared.contracts.event import Event
from shared.contracts.session_events import SessionEvent, SessionStarted, SessionUpdated
from shared.contracts.states import PresetState, SessionStatus, StreamState
from shared.errors import NotFound
from shared.persistence.batching import ReadBatcher
from shared.persistence.mongo import ASCENDING, DESCENDING, Document, Index, Mongo
from shared.persistence.outbox import Outbox
from shared.persistence.repository import COUNTED_TO, Repository

_OPEN = [SessionStatus.SCHEDULED.value, SessionStatus.LIVE.value]
# Totals of the dashboard are exact up to here.
_STATS_COUNTED_TO = 100_000


@dataclass(frozen=True)
class AutomaticState:
    """`emptied`: nobody was there when somebody last looked."""

    status: SessionStatus
    emptied: bool


class SessionRepository(Repository[Session]):
    collection_name = "sessions"
    noun = "session"
    entity = Session
    indexes = (
        Index([("live_room_id", ASCENDING)], unique=True, sparse=True),
        Index([("pending_room_id", ASCENDING)], unique=True, sparse=True),
        Index([("due_at", ASCENDING)], sparse=True),
        Index([("stage_due_at", ASCENDING)], sparse=True),
        Index([("room_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("host_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("host_id", ASCENDING), ("status", ASCENDING), ("_id", DESCENDING)]),
        Index([("host_id", ASCENDING), ("room_name", ASCENDING), ("_id", DESCENDING)]),
        Index([("host_id", ASCENDING), ("library_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("listed", ASCENDING), ("_id", DESCENDING)]),
        Index([("listed", ASCENDING), ("status", ASCENDING), ("_id", DESCENDING)]),
        Index([("library_id", ASCENDING), ("listed", ASCENDING), ("_id", DESCENDING)]),
        Index([("library_id", ASCENDING), ("status", ASCENDING), ("listed", ASCENDING), ("_id", DESCENDING)]),
        Index([("organization_id", ASCENDING), ("status", ASCENDING)]),
        Index([("preset.id", ASCENDING), ("status", ASCENDING)]),
    )

    def __init__(
        self, mongo: Mongo, outbox: Outbox, clock: Clock, updated: Callable[[str], None] = lambda _: None
    ):
        """`updated` is called with the id of each session that was changed, once that is stored."""
        super().__init__(mongo, outbox, clock)
        self._updated = updated
        self._live = ReadBatcher(self._live_by_room, self.collection_name)
        self._stages = ReadBatcher(self._stage_by_session, self.collection_name)
        self._automatic = ReadBatcher(self._automatic_states, self.collection_name)

    def _stored(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, SessionEvent):
                metrics.count(event)
                if isinstance(event, SessionUpdated) or _is_automatic_start(event):
                    self._updated(event.session.id)

    async def list_of_room(self, room_id: str, skip: int, limit: int) -> tuple[list[Session], int]:
        return await self.page({"room_id": room_id}, skip=skip, limit=limit)

    async def list_of_host(
        self, host_id: str, library_id: str | None, wanted: SessionFilter, *, cursor: str | None, limit: int
    ) -> tuple[list[Session], str | None]:
        """As `page_after`."""
        found: dict[str, Session] = {}
        more = False
        scope: Document = {"host_id": host_id} | ({"library_id": library_id} if library_id else {})
        # One after another: a session that meanwhile goes on to the next state is found in either or in both.
        for query in wanted.queries():
            page, following = await self.page_after(scope | query, cursor=cursor, limit=limit)
            found |= {session.id: session for session in page}
            more = more or following is not None
        newest = sorted(found.values(), key=lambda session: session.id, reverse=True)
        shown = newest[:limit]
        return shown, shown[-1].id if more or len(newest) > limit else None

    async def list_public(
        self, library_id: str | None, skip: int, limit: int, *, live: bool = False
    ) -> tuple[list[Session], int]:
        """The sessions of public libraries (or of one of them), the newest first."""
        query: Document = {"listed": True}
        if live:
            query["status"] = SessionStatus.LIVE.value
        if library_id:
            query["library_id"] = library_id
        return await self.page(query, skip=skip, limit=limit)

    async def live_in_rooms(self, room_ids: Sequence[str]) -> dict[str, str]:
        """The live session's id by room, for those that have one."""
        return await self._live.many(room_ids)

    async def _live_by_room(self, room_ids: Sequence[str]) -> dict[str, str]:
        documents = await self.collection.find(
            {"live_room_id": {"$in": list(room_ids)}}, fields=["live_room_id"]
        )
        return {document["live_room_id"]: document["_id"] for document in documents}

    async def find_pending(self, room_id: str) -> Session | None:
        """The room's automatic session that nobody has joined yet."""
        return await self.find_where({"pending_room_id": room_id})

    async def find_automatic(self, id: str) -> AutomaticState | None:
        """How an automatic session is, None for others; read with every join and leave."""
        return await self._automatic.one(id)

    async def _automatic_states(self, ids: Sequence[str]) -> dict[str, AutomaticState]:
        documents = await self.collection.find(
            {"_id": {"$in": list(ids)}}, fields=["status", "options", "emptied_at"]
        )
        return {
            document["_id"]: AutomaticState(SessionStatus(document["status"]), "emptied_at" in document)
            for document in documents
            if document.get("options", {}).get("auto_session")
        }

    async def note_departure(self, id: str, at: datetime) -> None:
        """Somebody left the automatic session; it is no part of the session's own version."""
        await self.collection.update({"_id": id}, {"$max": {"last_left_at": at}})

    async def ids_live(self) -> list[str]:
        documents = await self.collection.find({"live_room_id": {"$gt": ""}}, fields=["_id"])
        return [document["_id"] for document in documents]

    async def count_live_and_pending(self) -> tuple[int, int, int]:
        """How many are live, how many people watch them, and how many automatic ones wait for somebody."""
        live = await self.collection.find({"live_room_id": {"$gt": ""}}, fields=["viewer_count"])
        pending = await self.collection.count({"pending_room_id": {"$gt": ""}}, limit=COUNTED_TO)
        return len(live), sum(document.get("viewer_count", 0) for document in live), pending

    async def any_open_with_preset(self, preset_id: str) -> bool:
        query = {"preset.id": preset_id, "status": {"$in": _OPEN}}
        return bool(await self.collection.count(query, limit=1))

    async def ids_following(self, preset: PresetState) -> list[str]:
        """The scheduled sessions that copied an older version of the preset."""
        query = {"preset.id": preset.id, "status": SessionStatus.SCHEDULED.value}
        return [document["_id"] for document in await self.collection.find(query, fields=["_id"])]

    async def ids_of_room(self, room_id: str) -> list[str]:
        return [doc["_id"] for doc in await self.collection.find({"room_id": room_id}, fields=["_id"])]

    async def ids_due(self, now: datetime, limit: int) -> list[str]:
        """Sessions whose `due_at` has come, the oldest first."""
        return await self._ids_until("due_at", now, limit)

    async def ids_with_absent(self, now: datetime, limit: int) -> list[str]:
        """Sessions whose `stage_due_at` has come, the oldest first."""
        return await self._ids_until("stage_due_at", now, limit)

    async def _ids_until(self, field: str, now: datetime, limit: int) -> list[str]:
        documents = await self.collection.find(
            {field: {"$lte": now}}, sort=[(field, ASCENDING)], limit=limit, fields=["_id"]
        )
        return [document["_id"] for document in documents]

    async def on_stage(self, id: str) -> Set[str]:
        """The guests on the session's stage; read with every leave, so nothing else is loaded."""
        return await self._stages.one(id) or frozenset()

    async def _stage_by_session(self, ids: Sequence[str]) -> dict[str, frozenset[str]]:
        documents = await self.collection.find({"_id": {"$in": list(ids)}}, fields=["stage"])
        return {document["_id"]: frozenset(document.get("stage", ())) for document in documents}

    async def count_by_status(self, scope: Document) -> dict[SessionStatus, int]:
        """How many sessions of `scope` (an indexed filter) there are in each state."""
        counts = await asyncio.gather(
            *(
                self.collection.count({**scope, "status": status.value}, limit=_STATS_COUNTED_TO)
                for status in SessionStatus
            )
        )
        return dict(zip(SessionStatus, counts, strict=True))

    async def follow_library(self, library_id: str, *, listed: bool, registered_only: bool) -> None:
        """Open sessions one by one, with an event for other services; those that are over all at once."""
        open_ = {"library_id": library_id, "status": {"$in": _OPEN}}
        for document in await self.collection.find(open_, fields=["_id"]):
            with suppress(NotFound):
                await self.change(
                    document["_id"],
                    lambda session: session.follow_library(listed=listed, registered_only=registered_only),
                )
        theirs = {"library_id": library_id}
        await self.collection.update_many(theirs, {"$set": {"registered_only": registered_only}})
        await self.collection.update_many({**theirs, "unlisted": {"$ne": True}}, {"$set": {"listed": listed}})

    async def follow_room(self, room_id: str, standing: RoomStanding) -> None:
        """As `follow_library`."""
        open_ = {"room_id": room_id, "status": {"$in": _OPEN}}
        for document in await self.collection.find(open_, fields=["_id"]):
            with suppress(NotFound):
                await self.change(
                    document["_id"],
                    lambda session: session.follow_room(standing),
                )
        change = {"$set": {"listed": standing.listed, "unlisted": standing.unlisted}}
        await self.collection.update_many({"room_id": room_id}, change)

    async def count_viewers(self, id: str, version: int, viewer_count: int, max_viewers: int) -> None:
        counts = {"viewer_count": viewer_count, "max_viewers": max_viewers}
        await self._take_over(id, "counted_version", version, counts)

    async def follow_stream(self, stream: StreamState) -> None:
        state = {"stream_status": stream.status.value, "hls_path": stream.hls_path}
        await self._take_over(stream.session_id, "stream_version", stream.version, state)

    async def _take_over(self, id: str, versioned_by: str, version: int, fields: Document) -> None:
        """Store what is newer than before; it is no part of the session's own version."""
        older = {"$or": [{versioned_by: {"$exists": False}}, {versioned_by: {"$lt": version}}]}
        await self.collection.update(
            {"_id": id, "tombstone": {"$exists": False}, **older}, {"$set": {versioned_by: version, **fields}}
        )


def _is_automatic_start(event: Event) -> bool:
    """Its room was open before it: people are in it, by tokens of any age."""
    return isinstance(event, SessionStarted) and event.session.options.auto_session
