"""The rules that turn the signals of a stream into a verdict. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from shared.contracts.states import StreamStatus

HealthStatus = Literal["healthy", "degraded", "unhealthy", "idle"]

# In segments: how old the last may be before the stream counts as slow, and as stopped.
_SLOW, _STOPPED = 3, 6


@dataclass(frozen=True, kw_only=True)
class HealthSignals:
    """`silent`: the participants of the room are known, and none sends anything. Ages in seconds."""

    wanted: bool
    status: StreamStatus
    error: str | None
    livekit_answers: bool
    room_open: bool
    silent: bool
    last_segment_age: float | None
    segment_seconds: int
    engine_problem: str | None


def assess(signals: HealthSignals) -> tuple[HealthStatus, list[str]]:
    """The verdict on the stream, and the reasons for it, the worst first."""
    if not signals.wanted:
        return "idle", [
            "No stream was asked for" if signals.status is StreamStatus.NONE else "The stream is over"
        ]
    bad, odd = list(_bad(signals)), list(_odd(signals))
    if bad:
        return "unhealthy", bad + odd
    return ("degraded", odd) if odd else ("healthy", [])


def _bad(signals: HealthSignals) -> Iterator[str]:
    if signals.engine_problem is not None:
        yield signals.engine_problem
    if signals.status is StreamStatus.FAILED:
        yield f"The stream has failed: {signals.error}; ask for it again with ensure_hls_egress"
    elif signals.error is not None:
        yield f"The stream is not running: {signals.error}"
    if signals.livekit_answers and not signals.room_open:
        yield "The LiveKit room is not open"
    age = signals.last_segment_age
    if signals.status is StreamStatus.ACTIVE and age is not None and age > _STOPPED * signals.segment_seconds:
        yield f"No segment has come for {age:.0f} s"


def _odd(signals: HealthSignals) -> Iterator[str]:
    if not signals.livekit_answers:
        yield "LiveKit is unavailable: room and tracks are not known"
    if signals.status is StreamStatus.STARTING and signals.error is None:
        yield "The stream is starting"
    if signals.silent:
        yield "Nobody is sending picture or sound"
    age = signals.last_segment_age
    slow, stopped = _SLOW * signals.segment_seconds, _STOPPED * signals.segment_seconds
    if age is not None and slow < age <= stopped:
        yield f"The last segment is {age:.0f} s old"
