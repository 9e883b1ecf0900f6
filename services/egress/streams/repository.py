"""The streams of sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from prometheus_client import Counter, Gauge

from services.egress.streams.domain import Stream
from shared.contracts.event import Event
from shared.contracts.states import LibraryState, RoomState, StreamStatus, Visibility
from shared.contracts.stream_and_recording_events import StreamChanged
from shared.persistence.mongo import ASCENDING, DESCENDING, Document, Duplicate, Index
from shared.persistence.repository import Repository
from shared.persistence.state_counts import count_states

STREAMS = Gauge("greenroom_streams", "Streams by state", ["status"])
FAILED = Counter("greenroom_stream_failures_total", "Streams that ended by themselves while they were wanted")

_COUNTED = [status.value for status in StreamStatus if status is not StreamStatus.NONE]


@dataclass(frozen=True, kw_only=True)
class StreamFilter:
    """Streams with all that is given, and with any of `status`."""

    session_id: str | None = None
    room_id: str | None = None
    status: Sequence[str] | None = None

    def query(self) -> Document:
        query: Document = {}
        if self.room_id is not None:
            query["room_id"] = self.room_id
        if self.status is not None:
            query["status"] = {"$in": list(self.status)}
        if self.session_id is not None:
            query["_id"] = {"$eq": self.session_id}
        return query


class StreamRepository(Repository[Stream]):
    collection_name: ClassVar[str] = "streams"
    noun: ClassVar[str] = "stream"
    entity = Stream
    indexes = (
        Index([("library_id", ASCENDING)]),
        Index([("host_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("organization_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("room_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("remove_at", ASCENDING)], sparse=True),
        Index([("wanted", ASCENDING)]),
        Index([("status", ASCENDING)]),
    )

    def _stored(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, StreamChanged) and event.stream.status is StreamStatus.FAILED:
                FAILED.inc()

    async def report_states(self) -> None:
        """Set the metric of how many there are in each state."""
        await count_states(STREAMS, self.collection, _COUNTED)

    async def ensure(self, stream: Stream) -> Stream:
        """The stream of the session as it is stored, made if there is none."""
        found = await self.find(stream.id)
        if found is not None:
            return found
        try:
            await self.add(stream, [])
        except Duplicate:
            return await self.get(stream.id)
        return stream

    async def list_owned(
        self, owner: Document, wanted: StreamFilter, *, cursor: str | None, limit: int
    ) -> tuple[list[Stream], str | None]:
        """Those of the host or organization that `owner` selects, by session; see `page_after`."""
        return await self.page_after(owner | wanted.query(), cursor=cursor, limit=limit)

    async def list_open(self) -> list[Stream]:
        """Those that are wanted, or not over yet."""
        wanted = await self.list_where({"wanted": True})
        ending = await self.list_where({"status": StreamStatus.ENDING.value})
        return list({stream.id: stream for stream in (*wanted, *ending)}.values())

    async def due_for_removal(self, now: datetime, limit: int) -> list[Stream]:
        """Those whose files are to be deleted, the longest waiting first."""
        documents = await self.collection.find(
            {"remove_at": {"$lte": now}}, sort=[("remove_at", ASCENDING)], limit=limit
        )
        return [self.load(document) for document in documents]

    async def follow_library(self, library: LibraryState) -> None:
        """Follow its visibility and whom it admits; streams publish no event of it."""
        theirs: Document = {"library_id": library.id}
        admitted = {"$set": {"registered_only": library.registered_only}}
        listed = {"$set": {"listed": library.visibility is Visibility.PUBLIC}}
        await self.collection.update_many(theirs, admitted)
        await self.collection.update_many(theirs | {"unlisted": {"$ne": True}}, listed)

    async def follow_room(self, room: RoomState) -> None:
        """Follow whether it is in public lists, those that are over too; older states change nothing."""
        if room.listed is None:
            return
        followed = {"listed": room.listed, "unlisted": room.unlisted, "room_version": room.version}
        newer = {"room_id": room.id, "room_version": {"$not": {"$gte": room.version}}}
        await self.collection.update_many(newer, {"$set": followed})
