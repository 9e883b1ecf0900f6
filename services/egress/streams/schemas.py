"""Data about a session's stream."""

from datetime import datetime
from typing import Literal

from shared.http import Data


class RoomHealth(Data):
    sid: str
    name: str
    num_participants: int
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

    `bitrate_kbps` is measured over the last segments; `last_segment_age` in seconds.
    """

    status: Literal["none", "starting", "active", "ending", "ended", "failed"]
    reasons: list[str]
    egress_id: str | None
    error: str | None
    recording: bool
    started_at: datetime | None
    hls_path: str | None
    width: int
    height: int
    frame_rate: int
    bitrate_kbps: int | None
    segment_count: int
    last_segment_at: datetime | None
    last_segment_age: float | None
    attempt: int


class IngressHealth(Data):
    ingress_id: str
    publishing: bool


class StreamHealthResponse(Data):
    """`status` is the verdict, `egress.reasons` say why. Without one, `room` and `ingress` are null."""

    status: Literal["healthy", "degraded", "unhealthy", "idle"]
    room: RoomHealth | None
    tracks: list[TrackHealth]
    egress: EgressHealth
    ingress: IngressHealth | None
