"""Sessions."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared.contracts.states.people import Role
from shared.contracts.states.presets import PresetSettings
from shared.contracts.states.stage import StageSeat
from shared.contracts.states.state import State
from shared.contracts.states.streams import StreamWish


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
    roles: dict[str, Role] = Field(default_factory=dict)
    stage: dict[str, StageSeat] = Field(default_factory=dict)
    banned: dict[str, datetime] = Field(default_factory=dict)
    listed: bool = False
    stream: StreamWish = StreamWish()
    created_at: datetime
    updated_at: datetime
