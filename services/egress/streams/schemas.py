"""Data about a session's stream."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from services.egress.streams.health_rules import HealthSignals, RoomSignals, assess
from shared.access.room_permissions import user_of
from shared.egress.segments import Segment
from shared.http import Data
from shared.livekit import LiveKitParticipant, LiveKitTrack
from shared.livekit.ports import NOT_COUNTED, IngressInput


class RoomHealth(Data):
    """`num_participants` is null if LiveKit is unavailable, or the room is too new to know."""

    sid: str
    name: str
    num_participants: int | None
    created_at: datetime


class TrackHealth(Data):
    """`participant_identity` is the person's user id; sizes in pixels, null for sound."""

    sid: str
    participant_identity: str
    type: str
    source: str
    muted: bool
    width: int | None
    height: int | None


class EgressHealth(Data):
    """`status` is the stream's, `reasons` are sentences on what is wrong, for people.

    Size and frame rate are null without an egress. `bitrate_kbps` is measured over the latest segments;
    `last_segment_age` in seconds.
    """

    status: Literal["none", "starting", "active", "ending", "ended", "failed"]
    reasons: list[str]
    egress_id: str | None
    error: str | None
    recording: bool
    started_at: datetime | None
    hls_path: str | None
    width: int | None
    height: int | None
    frame_rate: int | None
    bitrate_kbps: int | None
    segment_count: int
    last_segment_at: datetime | None
    last_segment_age: float | None
    attempt: int


class IngressVideoHealth(Data):
    """`codec` as in `h264`; the size in pixels, 0 if it is not known yet."""

    codec: str
    width: int
    height: int


class IngressAudioHealth(Data):
    """`codec` as in `aac`; samples a second and channels, 0 if not known yet."""

    codec: str
    sample_rate: int
    channels: int


class IngressHealth(Data):
    """`publishing` is null if it is not known who is in the room.

    `video` and `audio` are what the encoder sends, null for what it does not send, or if it is not known.
    `problem` says in a sentence what of it nobody gets.
    """

    ingress_id: str
    publishing: bool | None
    video: IngressVideoHealth | None
    audio: IngressAudioHealth | None
    problem: str | None


class StreamHealthResponse(Data):
    """`status` sums up, `egress.reasons` give the reasons. Without a room or an ingress, those are null.

    `tracks` is also empty if it is not known who is in the room; `room.num_participants` is null then.
    """

    status: Literal["healthy", "degraded", "unhealthy", "idle"]
    room: RoomHealth | None
    tracks: list[TrackHealth]
    egress: EgressHealth
    ingress: IngressHealth | None


def stream_health_response(signals: HealthSignals) -> StreamHealthResponse:
    status, reasons = assess(signals)
    livekit = signals.livekit
    return StreamHealthResponse(
        status=status,
        room=_room(livekit) if livekit else None,
        tracks=[_track(participant, track) for participant, track in livekit.tracks] if livekit else [],
        egress=_egress(signals, reasons),
        ingress=_ingress(livekit) if livekit else None,
    )


def _room(livekit: RoomSignals) -> RoomHealth | None:
    """Counted by the participants listed: the room's own count is some 10 s late, and counts our recorder."""
    room, present = livekit.room, livekit.present
    if room is None:
        return None
    count = None if present is None else sum(_is_counted(one) for one in present)
    return RoomHealth(sid=room.sid, name=room.name, num_participants=count, created_at=room.created_at)


def _is_counted(participant: LiveKitParticipant) -> bool:
    return participant.kind not in NOT_COUNTED and not participant.permissions.hidden


def _track(participant: LiveKitParticipant, track: LiveKitTrack) -> TrackHealth:
    return TrackHealth(
        sid=track.sid,
        participant_identity=user_of(participant.identity),
        type=track.type,
        source=track.source,
        muted=track.muted,
        width=track.width or None,
        height=track.height or None,
    )


def _egress(signals: HealthSignals, reasons: list[str]) -> EgressHealth:
    stream, output, encoding = signals.stream, signals.output, signals.encoding
    egress, latest = output.egress, output.latest
    return EgressHealth(
        status=signals.status.value,
        reasons=reasons,
        egress_id=egress.egress_id if egress else None,
        error=signals.error,
        recording=egress.file if egress else False,
        started_at=egress.started_at if egress else None,
        hls_path=stream.hls_path if stream else None,
        width=encoding.width if egress else None,
        height=encoding.height if egress else None,
        frame_rate=encoding.frame_rate if egress else None,
        bitrate_kbps=_bitrate(latest),
        segment_count=output.count,
        last_segment_at=latest[-1].starts_at if latest else None,
        last_segment_age=output.age,
        attempt=stream.attempt if stream else 0,
    )


def _bitrate(segments: Sequence[Segment]) -> int | None:
    seconds = sum(segment.duration for segment in segments)
    return round(sum(segment.size for segment in segments) * 8 / seconds / 1000) if seconds else None


def _ingress(livekit: RoomSignals) -> IngressHealth | None:
    if not livekit.ingresses:
        return None
    ingress, present = livekit.ingresses[0], livekit.present
    publishing = None if present is None else any(one.kind == "ingress" and one.tracks for one in present)
    sent = ingress.input or IngressInput()
    return IngressHealth(
        ingress_id=ingress.ingress_id,
        publishing=True if ingress.status == "publishing" else publishing,
        video=IngressVideoHealth.of(sent.video) if sent.video else None,
        audio=IngressAudioHealth.of(sent.audio) if sent.audio else None,
        problem=sent.problem,
    )
