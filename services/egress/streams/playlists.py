"""HLS media playlists (RFC 8216) from the records of segments."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.egress.streams.domain import Stream
from shared.contracts.states import StreamStatus
from shared.egress.keys import FULL_PLAYLIST
from shared.egress.segments import Segment, SegmentRepository
from shared.persistence.mongo import Collection, Mongo

# Segments in the window of a live playlist.
WINDOW = 6
# Segments of one egress are counted no further: two days of segments of two seconds.
_COUNTED_TO = 100_000


@dataclass(frozen=True, kw_only=True)
class Opening:
    """Where a playlist begins: how many segments, and how many discontinuities, came before."""

    segments: int = 0
    breaks: int = 0


def media_playlist(
    segments: Sequence[Segment], *, opening: Opening, ended: bool, seconds: int, whole: bool
) -> str:
    """The playlist at `/hls/<session>/`; `seconds` is how long segments are meant to be.

    `whole` is the full one, to which only is added (type EVENT), else it is a window that moves on.
    """
    longest = max((segment.duration for segment in segments), default=0.0)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:6",
        f"#EXT-X-TARGETDURATION:{max(seconds, math.floor(longest + 0.5))}",
        f"#EXT-X-MEDIA-SEQUENCE:{opening.segments}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{opening.breaks}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    if whole:
        lines.append("#EXT-X-PLAYLIST-TYPE:" + ("VOD" if ended else "EVENT"))
    lines += _entries(segments, first=opening.segments == 0)
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _entries(segments: Iterable[Segment], *, first: bool) -> Iterable[str]:
    timed = False
    for segment in segments:
        breaks = starts_again(segment)
        if breaks and not first:
            yield "#EXT-X-DISCONTINUITY"
        if breaks or not timed:
            yield f"#EXT-X-PROGRAM-DATE-TIME:{_time(segment.starts_at)}"
        yield f"#EXTINF:{segment.duration:.6f},"
        yield segment.path.split("/", 2)[2]
        first, timed = False, True


def starts_again(segment: Segment) -> bool:
    """Whether its timestamps do not carry on those of the segment before."""
    return segment.n == 0 or segment.discontinuity


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


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
        breaks = await self._breaks(keys) - sum(map(starts_again, window))
        # The stream's own beginning is no discontinuity.
        return window, Opening(segments=total - len(window), breaks=max(0, breaks - 1))

    async def output(self, session_id: str, key: str) -> tuple[Sequence[Segment], int]:
        """The last few segments of the egress, and how many it has made."""
        del session_id
        return await self._segments.latest(key, WINDOW), await self._count([key])

    async def _count(self, keys: Sequence[str]) -> int:
        return await self._collection.count({"key": {"$in": list(keys)}}, limit=_COUNTED_TO)

    async def _breaks(self, keys: Sequence[str]) -> int:
        breaks = {"key": {"$in": list(keys)}, "$or": [{"n": 0}, {"discontinuity": True}]}
        return await self._collection.count(breaks, limit=_COUNTED_TO)
