"""People and their roles; libraries, the rooms in them, and presets."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class State(BaseModel):
    """Base of all states."""

    model_config = ConfigDict(frozen=True, extra="ignore")


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


class Visibility(StrEnum):
    PUBLIC = "public"
    UNLISTED = "unlisted"


class LibraryState(State):
    id: str
    version: int
    organization_id: str
    name: str
    visibility: Visibility
    registered_only: bool = False
    is_default: bool


class Layout(StrEnum):
    """How streams and recordings arrange people."""

    GRID = "grid"
    SPEAKER = "speaker"
    SINGLE_SPEAKER = "single_speaker"


class Quality(StrEnum):
    """The height of the picture of streams and recordings."""

    HD = "720p"
    FULL_HD = "1080p"


class RoomOptions(State):
    """What the sessions of a room take over from it: when created, automatic ones until somebody joins.

    `auto_session`: a session is created with the first join token issued for the room, starts when somebody
    joins and ends with its last participant. Nobody joins before `join_from` or after `join_until`; everybody
    is removed at `remove_at`, and each person `remove_after_seconds_elapsed` after their first join.
    `max_members` people may be in the LiveKit room. `record_on_start`: the session starts with a stream and a
    recording. Null leaves a choice to the installation's settings (layout, frames a second, quality).
    """

    auto_session: bool = False
    join_from: datetime | None = None
    join_until: datetime | None = None
    remove_at: datetime | None = None
    remove_after_seconds_elapsed: int | None = None
    max_members: int | None = None
    record_on_start: bool = False
    layout: Layout | None = None
    fps: int | None = None
    quality: Quality | None = None


class RoomState(State):
    """A room in full; `version` grows by one with each change.

    `name` is unique in its library; rooms need none. Nobody gets a token for a room that is not `enabled`.
    An `unlisted` room is in no public list, whatever its library is; `listed`: it is in them, which earlier
    releases do not say.
    """

    id: str
    version: int
    organization_id: str
    library_id: str
    host_id: str
    name: str | None = None
    title: str
    description: str | None
    enabled: bool = True
    unlisted: bool = False
    listed: bool | None = None
    options: RoomOptions = RoomOptions()
    created_at: datetime
    updated_at: datetime


class PresetType(StrEnum):
    WHIP = "whip"
    RTMP = "rtmp"


class VideoFit(StrEnum):
    """How streams and recordings show a camera beside others: filling its box, edges cut off, or whole.

    Whatever is alone, shared screens, encoders and upright cameras are always whole. For Greenroom's
    recorders: what LiveKit Egress shows, its templates decide.
    """

    FILL = "fill"
    FIT = "fit"


class PresetSettings(State):
    """A preset's settings, as copied into a session: appearance, limits and one flag per permission."""

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
    grid_video_fit: VideoFit = VideoFit.FILL


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
