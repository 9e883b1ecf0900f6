"""The states that events carry: everything a projection of another service may want to keep."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class SessionStatus(StrEnum):
    SCHEDULED = "scheduled"
    LIVE = "live"
    ENDED = "ended"
    EXPIRED = "expired"


class SessionMode(StrEnum):
    WEBCAM = "webcam"
    RTMP = "rtmp"


class EndReason(StrEnum):
    """Why a session ended: by its host, or by itself."""

    HOST = "host"
    NO_HOST = "no_host"
    MAX_DURATION = "max_duration"
    ROOM_LOST = "room_lost"


class Role(StrEnum):
    """What a person is in one session."""

    HOST = "host"
    CO_HOST = "co_host"
    MODERATOR = "moderator"
    STAGE = "stage"
    AUDIENCE = "audience"


class UserRole(StrEnum):
    """What a person is in the installation."""

    HOST = "host"
    VIEWER = "viewer"


class Visibility(StrEnum):
    PUBLIC = "public"
    UNLISTED = "unlisted"


class PresetType(StrEnum):
    WHIP = "whip"
    RTMP = "rtmp"


class State(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PresetSettings(State):
    """What a preset decides, as copied into a session: look, limits and one flag per permission."""

    name: str
    type: PresetType
    primary_color: str
    logo: str | None = None
    logo_destination_url: str | None = None
    stage_enabled: bool = True
    max_join_limit: int = 10
    chat_enabled: bool = True
    poll_enabled: bool = True
    viewer_count_visible: bool = True
    host_add_co_host: bool = True
    host_camera_enabled: bool = True
    host_screen_share: bool = True
    host_chat_send_text: bool = True
    host_chat_send_file: bool = True
    host_chat_receive_message: bool = True
    host_poll_create: bool = True
    host_poll_vote: bool = True
    host_poll_view: bool = True
    onstage_camera_enabled: bool = True
    onstage_screen_share: bool = False
    onstage_viewer_view: bool = True
    audience_stage_join_request: bool = True
    audience_can_see_participants: bool = True
    audience_chat_send_text: bool = True
    audience_chat_send_file: bool = False
    audience_chat_receive_message: bool = True
    audience_poll_create: bool = False
    audience_poll_vote: bool = True
    audience_poll_view: bool = True
    moderator_manage_stage: bool = True
    moderator_manage_chat: bool = True
    moderator_manage_poll: bool = True
    recording_enabled: bool = False


class PresetState(State):
    """A preset in full; `version` grows by one with each change."""

    id: str
    version: int
    organization_id: str
    library_id: str
    user_id: str
    settings: PresetSettings
    is_default: bool
    created_at: datetime
    updated_at: datetime


class RoomState(State):
    """A room in full; `version` grows by one with each change."""

    id: str
    version: int
    organization_id: str
    library_id: str
    host_id: str
    title: str
    description: str | None
    created_at: datetime
    updated_at: datetime


class StreamWish(State):
    """What the session wants of its stream: whether, with a recording or without, and which attempt it is.

    `attempt` grows whenever a stream is asked for again: one that has died is then replaced.
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

    `hls_path` begins with "/hls/" and is null until there is something to play. `error` says, for people,
    why it is not running.
    """

    session_id: str
    version: int
    status: StreamStatus
    hls_path: str | None
    error: str | None
    updated_at: datetime


class RecordingStatus(StrEnum):
    RECORDING = "recording"
    COMPLETED = "completed"
    FAILED = "failed"


class RecordingState(State):
    """A recording in full; `version` grows by one with each change.

    `duration` in whole seconds, `file_size` in bytes.
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
    created_at: datetime
    updated_at: datetime


class StageSeat(State):
    """A guest's place on stage: `id` is this stay, `request_id` the hand or join request that it answers."""

    id: str
    name: str
    can_publish_audio: bool = True
    can_publish_video: bool = True
    joined_stage_at: datetime
    request_id: str | None = None


class RequestKind(StrEnum):
    """How somebody asks for a place on stage."""

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


class SessionState(State):
    """A session in full; `version` grows by one with each change of what is here.

    `end_estimated`: nobody told when it ended; `ended_at` is the last proof that it lived. `listed`: its
    library was public when the state was told. `roles`, `stage` and `banned` go by user id: co-hosts and
    moderators, the guests on stage, and since when who may not come in: people, and viewers' devices.
    """

    id: str
    version: int
    organization_id: str
    library_id: str
    room_id: str
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
    roles: dict[str, Role] = {}
    stage: dict[str, StageSeat] = {}
    banned: dict[str, datetime] = {}
    listed: bool = False
    stream: StreamWish = StreamWish()
    created_at: datetime
    updated_at: datetime


class UserState(State):
    """A person: host or viewer. `is_guest` is one who registered with a display name only."""

    id: str
    version: int
    organization_id: str | None
    username: str
    email: str | None
    role: UserRole
    is_guest: bool
    is_active: bool


class LibraryState(State):
    id: str
    version: int
    organization_id: str
    name: str
    visibility: Visibility
    registered_only: bool = False
    is_default: bool


class ChatFileState(State):
    """A file in the chat; `size` in bytes."""

    name: str
    size: int
    content_type: str


class ChatMessageState(State):
    """A chat message. `recipient_id` makes it a direct one; `message` is a file's name where there is one."""

    id: str
    session_id: str
    user_id: str
    username: str
    message: str
    recipient_id: str | None = None
    recipient_username: str | None = None
    file: ChatFileState | None = None
    created_at: datetime


class ChatDeletionState(State):
    """That a chat message was deleted; `user_id` wrote it, `deleted_by` took it away."""

    id: str
    session_id: str
    user_id: str
    recipient_id: str | None = None
    deleted_by: str
    deleted_at: datetime


class PollStatus(StrEnum):
    ACTIVE = "active"
    CLOSED = "closed"


class PollOptionState(State):
    id: str
    text: str


class PollState(State):
    """A poll in full, without its votes; `version` grows by one with each change."""

    id: str
    version: int
    session_id: str
    user_id: str
    question: str
    options: list[PollOptionState]
    allow_multiple_votes: bool
    status: PollStatus
    created_at: datetime
    closed_at: datetime | None
