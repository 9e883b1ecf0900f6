"""HTTP bodies and data about sessions."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.session.catalog.presets.schemas import JoinLimit, PresetResponse
from services.session.catalog.rooms.schemas import RoomResponse
from services.session.identity.accounts.schemas import Username, UserResponse
from shared.access.identity import LONGEST_LIFETIME
from shared.contracts.states import SessionMode
from shared.http import Body, Data
from shared.http.schema import Id, Line, Moment, Text, Title


class CreateSessionRequest(Body):
    title: Title
    description: Text | None = None
    mode: SessionMode | None = None
    scheduled_start_time: Moment | None = None
    preset_id: Id


class RescheduleSessionRequest(Body):
    scheduled_start_time: Moment


class UpdateSessionSettingsRequest(Body):
    """Absent fields are kept, null returns to the preset's value."""

    chat_enabled: bool | None = None
    stage_enabled: bool | None = None
    max_join_limit: JoinLimit | None = None

    def overrides(self) -> dict[str, bool | int | None]:
        return {name: getattr(self, name) for name in self.model_fields_set}


class SessionResponse(Data):
    id: str
    room_id: str
    room: RoomResponse | None
    preset: PresetResponse | None
    title: str
    description: str | None
    status: Literal["scheduled", "live", "ended", "expired"]
    mode: Literal["webcam", "rtmp"]
    started_at: datetime | None
    ended_at: datetime | None
    duration: int | None
    scheduled_start_time: datetime | None
    viewer_count: int
    max_viewers: int
    recording_enabled: bool
    hls_url: str | None
    chat_enabled_override: bool | None
    stage_enabled_override: bool | None
    max_join_limit_override: int | None
    effective_chat_enabled: bool
    effective_stage_enabled: bool
    effective_max_join_limit: int
    created_at: datetime
    updated_at: datetime


class SessionListResponse(Data):
    sessions: list[SessionResponse]
    total: int
    page: int
    limit: int


class CreateSessionResponse(Data):
    """`rtmp_url` and `stream_key` are empty unless the session is in mode `rtmp`."""

    session: SessionResponse
    rtmp_url: str
    stream_key: str


class RtmpResponse(Data):
    ingress_id: str
    url: str
    stream_key: str


class InstructionsResponse(Data):
    step1: str
    step2: str
    step3: str


class RtmpSetupResponse(Data):
    server: str
    stream_key: str
    instructions: InstructionsResponse


class StartSessionResponse(Data):
    session: SessionResponse
    livekit_token: str
    rtmp: RtmpResponse | None
    rtmp_setup: RtmpSetupResponse | None
    whip_url: str | None


class JoinSessionResponse(Data):
    livekit_token: str
    room_name: str


class IssueTokensRequest(Body):
    external_user_id: Annotated[Line, Field(min_length=1, max_length=255)]
    name: Username
    role: Literal["host", "co_host", "moderator", "audience"] = "audience"
    ttl_seconds: Annotated[int, Field(ge=60, le=int(LONGEST_LIFETIME.total_seconds()))] = 600


class IssueTokensResponse(Data):
    user: UserResponse
    access_token: str
    livekit_token: str
    room_name: str
    expires_at: datetime


class DashboardStatsResponse(Data):
    total_sessions: int
    live_now: int
    scheduled: int
    ended: int
