"""HTTP bodies and data about sessions."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from services.session.catalog.presets.schemas import JoinLimit, PresetResponse
from services.session.catalog.rooms.schemas import RoomOptionsResponse, RoomResponse
from services.session.sessions.session_filter import SessionFilter
from shared.contracts.states import EndReason, SessionMode
from shared.http import Body, Data
from shared.http.schema import CursorPage, Id, Moment, Text, Title


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


RoomNameText = Annotated[str, Field(max_length=100)]


class MySessionsQuery(CursorPage):
    """`room_name` and `room_name_contains` go by the case of letters, too; of several `status` any holds.

    Times are inclusive.
    """

    room_id: Id | None = None
    room_name: RoomNameText | None = None
    room_name_contains: RoomNameText | None = None
    status: list[Literal["scheduled", "live", "ended", "expired"]] | None = None
    started_after: Moment | None = None
    started_before: Moment | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None

    def filter(self) -> SessionFilter:
        return SessionFilter(**self.model_dump(exclude={"cursor", "limit"}))


class SessionResponse(Data):
    """`meta` is for the room's own organization alone, empty for everybody else."""

    id: str
    host_id: str
    room_id: str
    room_name: str | None
    room: RoomResponse | None
    preset: PresetResponse | None
    title: str
    description: str | None
    status: Literal["scheduled", "live", "ended", "expired"]
    mode: Literal["webcam", "rtmp"]
    started_at: datetime | None
    ended_at: datetime | None
    end_reason: EndReason | None
    duration: int | None
    scheduled_start_time: datetime | None
    viewer_count: int
    max_viewers: int
    recording_enabled: bool
    options: RoomOptionsResponse
    meta: dict[str, Any]
    hls_url: str | None
    preview_url: str | None
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


class MySessionsResponse(Data):
    """`next_cursor` is for the page that follows; null after the last."""

    sessions: list[SessionResponse]
    next_cursor: str | None


class CreateSessionResponse(Data):
    """`rtmp_url` and `stream_key` are empty unless the session is in mode `rtmp`."""

    session: SessionResponse
    rtmp_url: str
    stream_key: str


class JoinSessionResponse(Data):
    """LiveKit's clients connect to `livekit_url` with `livekit_token`."""

    livekit_token: str
    livekit_url: str
    room_name: str


class DashboardStatsResponse(Data):
    total_sessions: int
    live_now: int
    scheduled: int
    ended: int
