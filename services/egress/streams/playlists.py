"""HLS media playlists (RFC 8216) from the records of segments. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.egress.segments import Segment

# Segments in the window of a live playlist.
WINDOW = 6


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
        breaks = begins_anew(segment)
        if breaks and not first:
            yield "#EXT-X-DISCONTINUITY"
        if breaks or not timed:
            yield f"#EXT-X-PROGRAM-DATE-TIME:{_time(segment.starts_at)}"
        yield f"#EXTINF:{segment.duration:.6f},"
        yield segment.path.split("/", 2)[2]
        first, timed = False, True


def begins_anew(segment: Segment) -> bool:
    """Whether its timestamps do not carry on those of the segment before."""
    return segment.n == 0 or segment.discontinuity


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
