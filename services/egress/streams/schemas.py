"""Data about a session's stream."""

from datetime import datetime
from typing import Literal

from shared.http import Data


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


class IngressHealth(Data):
    """`publishing` is null if it is not known who is in the room."""

    ingress_id: str
    publishing: bool | None


class StreamHealthResponse(Data):
    """`status` sums up, `egress.reasons` give the reasons. Without a room or an ingress, those are null.

    `tracks` is also empty if it is not known who is in the room; `room.num_participants` is null then.
    """

    status: Literal["healthy", "degraded", "unhealthy", "idle"]
    room: RoomHealth | None
    tracks: list[TrackHealth]
    egress: EgressHealth
    ingress: IngressHealth | None
