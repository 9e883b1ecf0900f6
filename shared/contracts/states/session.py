"""Sessions: the places on stage, the stream, the recordings."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared.contracts.states.people_and_catalog import PresetSettings, Role, RoomOptions, State


class StageSeat(State):
    """A guest's place on stage: `id` identifies this stay, `request_id` the hand raise or join request behind
    it. A `reserved` one came with a join token: it is kept while the person is not in the room."""

    id: str
    name: str
    can_publish_audio: bool = True
    can_publish_video: bool = True
    joined_stage_at: datetime
    request_id: str | None = None
    reserved: bool = False


class RequestKind(StrEnum):
    """How a person asks for a place on stage."""

    HAND = "hand"
    JOIN = "join"


class RequestStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class StageRequestState(State):
    """A raised hand or a join request in full; `version` grows by one with each change."""

    id: str
    version: int
    session_id: str
    kind: RequestKind
    user_id: str
    name: str
    message: str | None
    status: RequestStatus
    created_at: datetime
    updated_at: datetime
    responded_at: datetime | None


class StreamRequest(State):
    """The stream a session requests: whether, with or without a recording, and which attempt it is.

    `attempt` grows whenever a stream is requested again, which replaces a failed one.
    """

    wanted: bool = False
    record: bool = False
    attempt: int = 0


class StreamStatus(StrEnum):
    """`failed`: it ended by itself and is still wanted."""

    NONE = "none"
    STARTING = "starting"
    ACTIVE = "active"
    ENDING = "ending"
    ENDED = "ended"
    FAILED = "failed"


class StreamState(State):
    """A session's HLS stream; `version` grows by one with each change.

    `hls_path` begins with "/hls/" and is null until there is something to play. `error` tells people why it
    is not running. Its present egress was planned, has started and had something to play at `planned_at`,
    `started_at` and `playable_at`; `broke_off_at` is when one before it broke off, until this one plays.
    """

    session_id: str
    version: int
    status: StreamStatus
    hls_path: str | None
    error: str | None
    planned_at: datetime | None = None
    started_at: datetime | None = None
    playable_at: datetime | None = None
    broke_off_at: datetime | None = None
    broke_off_error: str | None = None
    updated_at: datetime


class RecordingStatus(StrEnum):
    RECORDING = "recording"
    COMPLETED = "completed"
    FAILED = "failed"


class RecordingState(State):
    """A recording in full; `version` grows by one with each change.

    `duration` in whole seconds, `file_size` in bytes. `started_at` and `finished_at` are its egress's. One
    that broke off is `continued_by` another, which `continues` it as its next `part`.
    """

    id: str
    version: int
    organization_id: str
    library_id: str
    session_id: str
    host_id: str
    name: str
    status: RecordingStatus
    duration: int | None
    file_size: int | None
    error: str | None
    stop_requested_at: datetime | None = None
    retry_count: int = 0
    part: int = 1
    continues: str | None = None
    continued_by: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


class SessionStatus(StrEnum):
    SCHEDULED = "scheduled"
    LIVE = "live"
    ENDED = "ended"
    EXPIRED = "expired"


class SessionMode(StrEnum):
    WEBCAM = "webcam"
    RTMP = "rtmp"


class EndReason(StrEnum):
    """Why a session ended: by its host, or automatically.

    `empty`: the last participant of an automatic session left; `member_left`: somebody whose leaving ends it.
    """

    HOST = "host"
    EMPTY = "empty"
    MEMBER_LEFT = "member_left"
    NO_HOST = "no_host"
    MAX_DURATION = "max_duration"
    ROOM_LOST = "room_lost"


class SessionState(State):
    """A session in full; `version` grows by one with each change of what is here.

    `end_estimated`: its end was not reported; `ended_at` is when it was last seen. `listed`: its library was
    public when the state was published, and its room not `unlisted`; `registered_only`: it admitted
    registered people only. `roles`, `stage` and `banned` are keyed by user id: co-hosts and moderators,
    guests on stage, and since when people and viewers' devices are banned. `room_name` and `options` are the
    room's when the session was created, or an automatic one was first joined; whoever joins after `closed_at`
    is removed, since the room was disabled then.
    """

    id: str
    version: int
    organization_id: str
    library_id: str
    room_id: str
    room_name: str | None = None
    options: RoomOptions = RoomOptions()
    host_id: str
    title: str
    description: str | None
    status: SessionStatus
    mode: SessionMode
    preset_id: str
    preset: PresetSettings
    scheduled_start_time: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    end_reason: EndReason | None
    end_estimated: bool = False
    chat_enabled_override: bool | None = None
    stage_enabled_override: bool | None = None
    max_join_limit_override: int | None = None
    roles: dict[str, Role] = Field(default_factory=dict)
    stage: dict[str, StageSeat] = Field(default_factory=dict)
    banned: dict[str, datetime] = Field(default_factory=dict)
    listed: bool = False
    unlisted: bool = False
    registered_only: bool = False
    closed_at: datetime | None = None
    stream: StreamRequest = StreamRequest()
    created_at: datetime
    updated_at: datetime

    @property
    def complete(self) -> bool:
        """Whether it says whom it admits, which states of earlier releases do not."""
        return "registered_only" in self.model_fields_set
