"""HTTP bodies and data about sessions."""

from datetime import datetime
from typing import Literal

from services.session.catalog.presets.schemas import JoinLimit, PresetResponse
from services.session.catalog.rooms.schemas import RoomResponse
from shared.contracts.states import SessionMode
from shared.http import Body, Data
from shared.http.schema import Id, Moment, Text, Title


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


class JoinSessionResponse(Data):
    livekit_token: str
    room_name: str


class DashboardStatsResponse(Data):
    total_sessions: int
    live_now: int
    scheduled: int
    ended: int
