"""From the signs of a stream to a verdict. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from services.egress.streams.schemas import TrackHealth
from shared.contracts.states import StreamStatus

Verdict = Literal["healthy", "degraded", "unhealthy", "idle"]

# In segments: how old the last may be before the stream counts as slow, and as stopped.
_SLOW, _STOPPED = 3, 6


@dataclass(frozen=True, kw_only=True)
class Signs:
    live: bool
    wanted: bool
    status: StreamStatus
    error: str | None
    livekit_answers: bool
    room_open: bool
    tracks: Sequence[TrackHealth] | None
    last_segment_age: float | None
    segment_seconds: int
    engine_trouble: str | None


def verdict(signs: Signs) -> tuple[Verdict, list[str]]:
    """What to think of the stream, and why: the worst first."""
    if not signs.wanted:
        return "idle", [
            "No stream was asked for" if signs.status is StreamStatus.NONE else "The stream is over"
        ]
    bad, odd = list(_bad(signs)), list(_odd(signs))
    if bad:
        return "unhealthy", bad + odd
    return ("degraded", odd) if odd else ("healthy", [])


def _bad(signs: Signs) -> Iterator[str]:
    if signs.engine_trouble is not None:
        yield signs.engine_trouble
    if signs.status is StreamStatus.FAILED:
        yield f"The stream has failed: {signs.error}; ask for it again with ensure_hls_egress"
    elif signs.error is not None:
        yield f"The stream is not running: {signs.error}"
    if signs.livekit_answers and not signs.room_open:
        yield "The LiveKit room is not open"
    age = signs.last_segment_age
    if signs.status is StreamStatus.ACTIVE and age is not None and age > _STOPPED * signs.segment_seconds:
        yield f"No segment has come for {age:.0f} s"


def _odd(signs: Signs) -> Iterator[str]:
    if not signs.livekit_answers:
        yield "LiveKit does not answer: room and tracks are not known"
    if signs.status is StreamStatus.STARTING and signs.error is None:
        yield "The stream is starting"
    if signs.tracks is not None and all(track.muted for track in signs.tracks):
        yield "Nobody is sending picture or sound"
    age = signs.last_segment_age
    slow, stopped = _SLOW * signs.segment_seconds, _STOPPED * signs.segment_seconds
    if age is not None and slow < age <= stopped:
        yield f"The last segment is {age:.0f} s old"
