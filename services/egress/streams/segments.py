"""The segments of a whole stream, one egress after the other, and the playlists made of them."""

from collections.abc import Sequence

from services.egress.streams.domain import Stream
from services.egress.streams.playlists import WINDOW, Opening, begins_anew, media_playlist
from shared.contracts.states import StreamStatus
from shared.egress.keys import FULL_PLAYLIST
from shared.egress.segments import Segment, SegmentRepository
from shared.persistence.mongo import Collection, Mongo

# Segments of one egress are counted no further: two days of segments of two seconds.
_COUNTED_TO = 100_000


class StreamSegments:
    """The playlists of an engine that records its segments; `seconds` is their nominal length."""

    def __init__(self, mongo: Mongo, segments: SegmentRepository, *, seconds: int):
        self._collection: Collection = mongo.collection(SegmentRepository.collection_name)
        self._segments = segments
        self._seconds = seconds

    async def playable(self, session_id: str, key: str) -> bool:
        """Whether there is a segment to begin with."""
        del session_id
        return bool(await self._segments.latest(key, 1))

    async def playlist(self, stream: Stream, name: str) -> str | None:
        """The playlist of this name; None if there are no segments yet."""
        whole = name == FULL_PLAYLIST
        segments, opening = (await self._all(stream), Opening()) if whole else await self._window(stream)
        if not segments:
            return None
        ended = stream.status is StreamStatus.ENDED
        return media_playlist(segments, opening=opening, ended=ended, seconds=self._seconds, whole=whole)

    async def _all(self, stream: Stream) -> list[Segment]:
        return [segment for part in stream.parts for segment in await self._segments.of(part.key)]

    async def _window(self, stream: Stream) -> tuple[list[Segment], Opening]:
        """The last few segments, and how many came before them."""
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

    async def _count(self, keys: Sequence[str]) -> int:
        return await self._collection.count({"key": {"$in": list(keys)}}, limit=_COUNTED_TO)

    async def _breaks(self, keys: Sequence[str]) -> int:
        breaks = {"key": {"$in": list(keys)}, "$or": [{"n": 0}, {"discontinuity": True}]}
        return await self._collection.count(breaks, limit=_COUNTED_TO)
