"""Bodies of answers, with exactly the published fields. Moments are RFC 3339 in UTC.

Ids of one's account: `customer_id` is the organization, `app_id` the host whose API key calls.
"""

from typing import Any, Literal

from pydantic import BaseModel, Field

from shared.http import BareData, Data

BeamStatus = Literal["starting", "running", "stopping", "post_processing", "completed", "failed"]


class SessionPeer(Data):
    """`left_at` is null while they are connected; `user` is the earlier name of `user_id`."""

    id: str
    session_id: str
    name: str
    role: str
    user_id: str
    user: str
    joined_at: str
    left_at: str | None


class HundredMsSession(Data):
    """`peers` by their id; `updated_at` is the end of one that is not active."""

    id: str
    room_id: str
    customer_id: str
    app_id: str
    active: bool
    peers: dict[str, SessionPeer]
    created_at: str
    updated_at: str


class ActiveRoomSession(Data):
    """`peers` are their ids."""

    id: str
    created_at: str
    peers: list[str]


class ActiveRoom(Data):
    id: str
    name: str
    customer_id: str
    session: ActiveRoomSession


class ActivePeer(Data):
    id: str
    name: str
    user_id: str
    metadata: str
    role: str
    joined_at: str


class PeerTrack(Data):
    id: str
    stream_id: str
    mute: bool
    type: Literal["audio", "video"]
    source: Literal["regular", "screen"]
    started_at: str
    description: str = ""


class ActivePeerWithTracks(ActivePeer):
    """`tracks` by their id."""

    tracks: dict[str, PeerTrack]


class RoomExtras(BareData):
    """Settings of a room that are there if they were set."""

    large_room: bool | None
    size: int | None
    max_duration_seconds: int | None
    polls: list[str] | None
    webhook: dict[str, Any] | None


class HundredMsRoom(Data):
    """`customer` and `template` are earlier names of `customer_id` and `template_id`, which is empty unless
    one was chosen."""

    id: str
    name: str
    enabled: bool
    description: str
    customer_id: str
    customer: str
    app_id: str
    recording_info: dict[str, Any] | None
    recording_source_template: bool
    enabled_source_template: bool = False
    template_id: str
    template: str
    region: str
    created_at: str
    updated_at: str


class HundredMsRoomCode(Data):
    code: str
    room_id: str
    role: str
    enabled: bool
    created_at: str
    updated_at: str


class AuthToken(Data):
    token: str


class Confirmation(Data):
    message: str


class RecordingAsset(Data):
    """`size` in bytes, `duration` in seconds. `job_id` is the recording's id, as `id` is: it has one file."""

    id: str
    job_id: str
    room_id: str
    session_id: str
    type: Literal["room-composite"] = "room-composite"
    status: Literal["completed", "failed"]
    path: str
    size: int
    duration: int
    created_at: str
    thumbnails: list[str] | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class PresignedUrl(Data):
    """`expiry` in seconds."""

    id: str
    path: str
    url: str
    expiry: int


class _Beam(BaseModel):
    """What composes a session's picture."""

    id: str
    room_id: str
    session_id: str
    status: BeamStatus
    meeting_url: str = ""
    destination: str = ""
    created_at: str
    started_at: str | None
    updated_at: str
    stopped_at: str | None
    started_by: str = ""
    stopped_by: str = ""


class ListedRecording(_Beam, Data):
    asset_types: list[str] | None


class HundredMsRecording(ListedRecording):
    recording_assets: list[RecordingAsset] | None


class Playback(Data):
    url: str


class StreamRecording(Data):
    """What a stream's files are: recordings are started on their own here."""

    hls_vod: bool = False
    single_file_per_layer: bool = False


class HundredMsLiveStream(_Beam, Data):
    recording_assets: list[RecordingAsset] | None = None
    playback: Playback
    recording: StreamRecording = StreamRecording()
