"""Segments: two seconds or so of a stream, stored as one file each; their records in the database."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from shared.persistence.mongo import ASCENDING, DESCENDING, Collection, Document, Index, Mongo


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One stored MPEG-TS file of an egress.

    The timestamps of one epoch's segments are continuous; `epoch` grows when another recorder takes over,
    `n` counts from 0 within it. `path` is the storage key, `starts_at` the time of its first frame (HLS
    program date-time), `duration` in seconds, `size` in bytes. `discontinuity`: its timestamps do not
    continue those of the segment before. `missing`: the names of those whose video is published and did not
    arrive, so that its end shows initials instead.
    """

    key: str
    session_id: str
    epoch: int
    n: int
    path: str
    starts_at: datetime
    duration: float
    size: int
    discontinuity: bool = False
    missing: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.key}:{self.epoch}:{self.n}"


_PLAYED: Final = (("key", ASCENDING), ("epoch", ASCENDING), ("n", ASCENDING))
_BACKWARDS: Final = (("key", DESCENDING), ("epoch", DESCENDING), ("n", DESCENDING))
_ADAPTER: Final = TypeAdapter(Segment)


class SegmentRepository:
    """A record is added once its file is stored, so whatever is listed can be played."""

    collection_name = "segments"

    def __init__(self, mongo: Mongo):
        self._collection: Collection = mongo.collection(self.collection_name)

    async def ensure_indexes(self) -> None:
        await self._collection.ensure_indexes([Index(_PLAYED, unique=True)])

    async def add_many(self, segments: Sequence[Segment]) -> None:
        """Store the records; existing ones stay as they are."""
        await self._collection.insert_many([_document(segment) for segment in segments])

    async def of(self, key: str) -> list[Segment]:
        """All of an egress, in order."""
        return [_segment(found) for found in await self._collection.find({"key": key}, sort=_PLAYED)]

    async def latest(self, key: str, count: int) -> list[Segment]:
        """The last `count` of an egress, in order."""
        found = await self._collection.find({"key": key}, sort=_BACKWARDS, limit=count)
        return [_segment(document) for document in reversed(found)]

    async def count(self, key: str, *, limit: int) -> int:
        """How many an egress has, counted no further than `limit`."""
        return await self._collection.count({"key": key}, limit=limit)

    async def delete_of(self, key: str) -> int:
        """Forget an egress's segments; how many there were. The files are deleted elsewhere."""
        return await self._collection.delete_many({"key": key})


def _document(segment: Segment) -> Document:
    return {"_id": segment.id, **asdict(segment)}


def _segment(document: Document) -> Segment:
    return _ADAPTER.validate_python({name: value for name, value in document.items() if name != "_id"})
