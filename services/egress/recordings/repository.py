"""Recordings; their files are in the storage."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from prometheus_client import Gauge

from services.egress.recordings.domain import Recording
from shared.contracts.states import RecordingStatus
from shared.ids import first_id_at
from shared.persistence.mongo import ASCENDING, DESCENDING, Document, Index
from shared.persistence.repository import COUNTED_TO, Repository
from shared.persistence.state_counts import count_states

RECORDINGS = Gauge("greenroom_recordings", "Recordings by state, counted to 10,000", ["status"])

# Read at a time: all of them may be too many to hold in memory.
BATCH = 500


@dataclass(frozen=True, kw_only=True)
class RecordingFilter:
    """Recordings with all that is given, and with any of `status`; `cursor` is exclusive."""

    session_id: str | None = None
    room_id: str | None = None
    status: Sequence[str] | None = None
    cursor: str | None = None

    def query(self) -> Document:
        fields = {"session_id": self.session_id, "room_id": self.room_id}
        query: Document = {name: value for name, value in fields.items() if value is not None}
        if self.status is not None:
            query["status"] = {"$in": list(self.status)}
        if self.cursor is not None:
            query["_id"] = {"$lt": self.cursor}
        return query


class RecordingRepository(Repository[Recording]):
    collection_name: ClassVar[str] = "recordings"
    noun: ClassVar[str] = "recording"
    entity = Recording
    indexes = (
        Index([("active_session_id", ASCENDING)], unique=True, sparse=True),
        Index([("host_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("organization_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("session_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("room_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("status", ASCENDING), ("_id", ASCENDING)]),
    )

    async def report_states(self) -> None:
        """Set the metric of how many there are in each state."""
        await count_states(RECORDINGS, self.collection, list(RecordingStatus))

    async def active(self, session_id: str) -> Recording | None:
        return await self.find_where({"active_session_id": session_id})

    async def list_of_session(self, session_id: str, *, skip: int, limit: int) -> tuple[list[Recording], int]:
        return await self.page({"session_id": session_id}, skip=skip, limit=limit)

    async def list_owned(
        self, owner: Document, wanted: RecordingFilter, *, skip: int, limit: int
    ) -> tuple[list[Recording], int]:
        """Those of the host or organization that `owner` selects, and how many match."""
        return await self.page(owner | wanted.query(), skip=skip, limit=limit)

    async def count_all(self) -> int:
        """How many there are, counted no further than lists are."""
        return await self.collection.count({"tombstone": {"$exists": False}}, limit=COUNTED_TO)

    async def stored(self) -> AsyncIterator[Recording]:
        """All that have a file, the oldest first."""
        after = ""
        while True:
            found = await self.collection.find(
                {"status": RecordingStatus.COMPLETED.value, "_id": {"$gt": after}},
                sort=[("_id", ASCENDING)],
                limit=BATCH,
            )
            for document in found:
                yield self.load(document)
            if len(found) < BATCH:
                return
            after = found[-1]["_id"]

    async def list_running(self, before: datetime) -> Sequence[Recording]:
        """Those that began before then and are not over."""
        query = {"status": RecordingStatus.RECORDING.value, "_id": {"$lt": first_id_at(before)}}
        return await self.list_where(query, limit=BATCH)
