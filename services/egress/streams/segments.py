"""The segments of a whole stream: one egress after the other."""

from collections.abc import Sequence

from services.egress.streams.domain import Stream
from services.egress.streams.playlists import WINDOW, Opening, begins_anew
from shared.egress.segment_repository import SegmentRepository
from shared.egress.segments import Segment
from shared.persistence.mongo import Collection, Mongo

# So many segments are needed to begin to play.
PLAYABLE_FROM = 1
# Of one egress; two days of segments of two seconds.
_COUNTED_TO = 100_000


class StreamSegments:
    def __init__(self, mongo: Mongo, segments: SegmentRepository):
        self._collection: Collection = mongo.collection(SegmentRepository.collection_name)
        self._segments = segments

    async def all(self, stream: Stream) -> list[Segment]:
        return [segment for part in stream.parts for segment in await self._segments.of(part.key)]

    async def window(self, stream: Stream) -> tuple[list[Segment], Opening]:
        """The last few segments, and what came before them."""
        window: list[Segment] = []
        for part in reversed(stream.parts):
            window = await self._segments.latest(part.key, WINDOW - len(window)) + window
            if len(window) >= WINDOW:
                break
        keys = [part.key for part in stream.parts]
        total = await self._count(keys)
        if total <= len(window):
            return window, Opening()
        breaks = await self._breaks(keys) - sum(map(begins_anew, window))
        # The stream's own beginning is no discontinuity.
        return window, Opening(segments=total - len(window), breaks=max(0, breaks - 1))

    async def latest(self, key: str, count: int) -> Sequence[Segment]:
        return await self._segments.latest(key, count)

    async def count(self, key: str) -> int:
        return await self._count([key])

    async def playable(self, key: str) -> bool:
        """Whether there is enough to begin to play."""
        return len(await self._segments.latest(key, PLAYABLE_FROM)) >= PLAYABLE_FROM

    async def _count(self, keys: Sequence[str]) -> int:
        return await self._collection.count({"key": {"$in": list(keys)}}, limit=_COUNTED_TO)

    async def _breaks(self, keys: Sequence[str]) -> int:
        breaks = {"key": {"$in": list(keys)}, "$or": [{"n": 0}, {"discontinuity": True}]}
        return await self._collection.count(breaks, limit=_COUNTED_TO)
