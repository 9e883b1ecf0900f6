"""HTTP bodies and data about presets."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from shared.contracts.states import PresetSettings, PresetState, PresetType, VideoFit
from shared.http import Body, Data
from shared.http.schema import Line

Name = Annotated[Line, Field(min_length=1, max_length=255)]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
JoinLimit = Annotated[int, Field(ge=1, le=100)]
_SCHEME = re.compile("([a-z][a-z0-9+.-]*):", re.IGNORECASE)


def _web_address(text: str) -> str:
    """Viewers' pages show it as a link, so nothing that runs there (`javascript:`); relative ones may be."""
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() not in {"http", "https"}:
        raise ValueError("must be an http or https address")
    return text


Link = Annotated[Line, Field(max_length=2048), AfterValidator(_web_address)]


class PresetFlags(Body):
    """What both bodies may set; absent fields are kept, null returns to the default."""

    stage_enabled: bool | None = None
    max_join_limit: JoinLimit | None = None
    chat_enabled: bool | None = None
    poll_enabled: bool | None = None
    viewer_count_visible: bool | None = None
    host_add_co_host: bool | None = None
    host_camera_enabled: bool | None = None
    host_screen_share: bool | None = None
    host_chat_send_text: bool | None = None
    host_chat_send_file: bool | None = None
    host_chat_receive_message: bool | None = None
    host_poll_create: bool | None = None
    host_poll_vote: bool | None = None
    host_poll_view: bool | None = None
    onstage_camera_enabled: bool | None = None
    onstage_screen_share: bool | None = None
    onstage_viewer_view: bool | None = None
    audience_stage_join_request: bool | None = None
    audience_can_see_participants: bool | None = None
    audience_chat_send_text: bool | None = None
    audience_chat_send_file: bool | None = None
    audience_chat_receive_message: bool | None = None
    audience_poll_create: bool | None = None
    audience_poll_vote: bool | None = None
    audience_poll_view: bool | None = None
    moderator_manage_stage: bool | None = None
    moderator_manage_chat: bool | None = None
    moderator_manage_poll: bool | None = None
    recording_enabled: bool | None = None
    grid_video_fit: VideoFit | None = None
    logo: Link | None = None
    logo_destination_url: Link | None = None
    is_default: bool | None = None

    def changes(self) -> dict[str, Any]:
        """The settings to change: what was sent, null as the setting's default."""
        sent = self.model_dump(exclude_unset=True, exclude={"is_default"})
        defaults = PresetSettings.model_fields
        return {name: defaults[name].default if value is None else value for name, value in sent.items()}


class CreatePresetRequest(PresetFlags):
    name: Name
    type: PresetType
    primary_color: Color

    def settings(self) -> PresetSettings:
        return PresetSettings(**self.changes())


class UpdatePresetRequest(PresetFlags):
    # Never null: pydantic does not check defaults, and only what was sent is looked at.
    name: Name = ""
    type: PresetType = PresetType.WHIP
    primary_color: Color = ""


class PresetResponse(Data):
    id: str
    user_id: str
    library_id: str
    name: str
    type: Literal["whip", "rtmp"]
    stage_enabled: bool
    max_join_limit: int
    chat_enabled: bool
    poll_enabled: bool
    viewer_count_visible: bool
    primary_color: str
    logo: str | None
    logo_destination_url: str | None
    host_add_co_host: bool
    host_camera_enabled: bool
    host_screen_share: bool
    host_chat_send_text: bool
    host_chat_send_file: bool
    host_chat_receive_message: bool
    host_poll_create: bool
    host_poll_vote: bool
    host_poll_view: bool
    onstage_camera_enabled: bool
    onstage_screen_share: bool
    onstage_viewer_view: bool
    audience_stage_join_request: bool
    audience_can_see_participants: bool
    audience_chat_send_text: bool
    audience_chat_send_file: bool
    audience_chat_receive_message: bool
    audience_poll_create: bool
    audience_poll_vote: bool
    audience_poll_view: bool
    moderator_manage_stage: bool
    moderator_manage_chat: bool
    moderator_manage_poll: bool
    recording_enabled: bool
    grid_video_fit: Literal["fill", "fit"]
    is_default: bool
    created_at: datetime
    updated_at: datetime


class PresetListResponse(Data):
    presets: list[PresetResponse]
    total: int
    page: int
    limit: int


def preset_response(preset: PresetState) -> PresetResponse:
    return PresetResponse.of(preset, **preset.settings.model_dump(mode="json"))
