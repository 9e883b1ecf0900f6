"""The rules that turn the signals of a stream into a verdict. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from services.egress.egresses.domain import PlannedEgress
from services.egress.streams.domain import Stream
from shared.access.room_permissions import user_of
from shared.contracts.states import StreamStatus
from shared.egress.engine import EncodingOptions
from shared.egress.segments import Segment
from shared.livekit import Ingress, LiveKitParticipant, LiveKitRoom, LiveKitTrack
from shared.livekit.ports import IngressInput

HealthStatus = Literal["healthy", "degraded", "unhealthy", "idle"]

# In segments, of two seconds at least: how old the last may be before the stream counts as slow, and stopped.
_SLOW, _STOPPED = 3, 6
_SHORTEST = 2.0
# LiveKit accepts it by default; Chrome and LiveKit's SDK decode it with certain hardware alone.
_H265 = "video/h265"


@dataclass(frozen=True, kw_only=True)
class RoomSignals:
    """The room, its participants, and its ingresses, the most telling first.

    `present` is None if a new room's are not listed yet.
    """

    room: LiveKitRoom | None
    present: Sequence[LiveKitParticipant] | None
    ingresses: Sequence[Ingress] = ()

    @property
    def tracks(self) -> list[tuple[LiveKitParticipant, LiveKitTrack]]:
        return [(one, track) for one in self.present or () for track in one.tracks]

    @property
    def inputs(self) -> list[IngressInput]:
        """What encoders send, as far as is known."""
        return [one.input for one in self.ingresses if one.status != "inactive" and one.input is not None]

    @property
    def silent(self) -> bool:
        """The participants are known, and none sends anything."""
        return self.present is not None and all(track.muted for _, track in self.tracks)


@dataclass(frozen=True, kw_only=True)
class StreamOutput:
    """The output of the present egress: its last segments, how many, the last one's age in seconds.

    Not `known` if the storage is unavailable.
    """

    egress: PlannedEgress | None = None
    latest: Sequence[Segment] = ()
    count: int = 0
    age: float | None = None
    known: bool = True


@dataclass(frozen=True, kw_only=True)
class HealthSignals:
    """`livekit` is None if LiveKit does not answer."""

    stream: Stream | None
    output: StreamOutput
    livekit: RoomSignals | None
    engine_problem: str | None
    encoding: EncodingOptions

    @property
    def status(self) -> StreamStatus:
        return self.stream.status if self.stream else StreamStatus.NONE

    @property
    def error(self) -> str | None:
        return self.stream.error if self.stream else None

    @property
    def segments_late(self) -> float:
        """How old the last segment is, in segments; 0 without one."""
        return (self.output.age or 0.0) / max(_SHORTEST, self.encoding.segment_seconds)


def assess(signals: HealthSignals) -> tuple[HealthStatus, list[str]]:
    """The verdict on the stream, and the reasons for it, the worst first; notes that are none come last."""
    if signals.stream is None or not signals.stream.wanted:
        return "idle", [
            "No stream was asked for" if signals.status is StreamStatus.NONE else "The stream is over"
        ]
    bad, odd, notes = list(_bad(signals)), list(_odd(signals)), list(dict.fromkeys(_notes(signals)))
    if bad:
        return "unhealthy", bad + odd + notes
    return ("degraded" if odd else "healthy"), odd + notes


def _bad(signals: HealthSignals) -> Iterator[str]:
    if signals.engine_problem is not None:
        yield signals.engine_problem
    if signals.status is StreamStatus.FAILED:
        yield f"The stream has failed: {signals.error}; ask for it again with ensure_hls_egress"
    elif signals.error is not None:
        yield f"The stream is not running: {signals.error}"
    if signals.stream is not None and signals.stream.broke_off_at is not None:
        why = signals.stream.broke_off_error or "Its egress failed"
        yield f"The stream broke off at {signals.stream.broke_off_at:%H:%M:%S} UTC: {why}"
    if signals.livekit is not None and signals.livekit.room is None:
        yield "The LiveKit room is not open"
    yield from dict.fromkeys(sent.problem for sent in _inputs(signals) if sent.problem is not None)
    yield from _undecodable(signals)
    if signals.status is StreamStatus.ACTIVE and signals.segments_late > _STOPPED:
        yield f"No segment has come for {signals.output.age:.0f} s"


def _undecodable(signals: HealthSignals) -> Iterator[str]:
    """Pictures that LiveKit passes on and no egress can show; a publisher's second codec may save one."""
    for publisher, track in signals.livekit.tracks if signals.livekit is not None else ():
        codecs = {mime_type.lower() for mime_type in track.mime_types}
        if codecs == {_H265} and not track.muted:
            yield f"The picture {track.sid} of {user_of(publisher.identity)} cannot be decoded (H.265)"


def _odd(signals: HealthSignals) -> Iterator[str]:
    if signals.livekit is None:
        yield "LiveKit is unavailable: room and tracks are not known"
    if not signals.output.known:
        yield "The storage is unavailable: segments are not known"
    if signals.status is StreamStatus.STARTING and signals.error is None:
        yield "The stream is starting"
    if signals.status is StreamStatus.ACTIVE and signals.output.known and not signals.output.latest:
        yield "The first segment has not come yet"
    if signals.livekit is not None and signals.livekit.silent:
        yield "Nobody is sending picture or sound"
    if any(sent.video and not sent.video.width and not sent.problem for sent in _inputs(signals)):
        yield "No picture of the encoder has been passed on yet"
    for name in signals.output.latest[-1].missing if signals.output.latest else ():
        yield f"The picture of {name or 'somebody'} does not arrive"
    if _SLOW < signals.segments_late <= _STOPPED:
        yield f"The last segment is {signals.output.age:.0f} s old"


def _notes(signals: HealthSignals) -> Iterator[str]:
    for sent in _inputs(signals):
        if sent.audio is None and sent.video is not None:
            yield "The encoder sends picture, but no sound"
        if sent.video is None and sent.audio is not None:
            yield "The encoder sends sound, but no picture"


def _inputs(signals: HealthSignals) -> list[IngressInput]:
    return signals.livekit.inputs if signals.livekit is not None else []
