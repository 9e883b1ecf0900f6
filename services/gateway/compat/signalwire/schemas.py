"""Bodies of answers, with exactly the published fields. Moments are ISO 8601 in UTC.

Sessions also have what SignalWire published earlier: `audio_video_sync`, `enable_room_previews`.
"""

from typing import Any

from pydantic import BaseModel

from shared.http import Data


class VideoActiveSession(BaseModel):
    """Fields that are null are not there."""

    id: str
    room_id: str
    name: str | None
    display_name: str | None
    join_from: str | None
    join_until: str | None
    remove_at: str | None
    remove_after_seconds_elapsed: int | None
    layout: str
    max_members: int | None
    fps: int
    quality: str
    start_time: str | None
    end_time: str | None
    duration: int | None
    status: str
    record_on_start: bool
    enable_room_previews: bool
    preview_url: str | None
    audio_video_sync: bool


class VideoRoom(Data):
    """`active_session` is added when it is asked for and there is one."""

    id: str
    name: str
    display_name: str | None
    description: str | None
    max_members: int
    quality: str
    fps: int
    join_from: str | None
    join_until: str | None
    remove_at: str | None
    remove_after_seconds_elapsed: int | None
    layout: str
    record_on_start: bool
    tone_on_entry_and_exit: bool = False
    room_join_video_off: bool = False
    user_join_video_off: bool = False
    enable_room_previews: bool
    sync_audio_video: bool | None
    meta: dict[str, Any] | None
    prioritize_handraise: bool = False
    created_at: str
    updated_at: str


class VideoRoomSessionSummary(Data):
    """One session."""

    id: str
    room_id: str
    name: str | None
    display_name: str | None
    max_members: int | None
    quality: str
    fps: int
    join_from: str | None
    join_until: str | None
    remove_at: str | None
    remove_after_seconds_elapsed: int | None
    layout: str
    record_on_start: bool
    tone_on_entry_and_exit: bool = False
    room_join_video_off: bool = False
    user_join_video_off: bool = False
    locked: bool = False
    start_time: str | None
    end_time: str | None
    duration: int | None
    status: str
    created_at: str
    updated_at: str
    preview_url: str | None
    prioritize_handraise: bool = False
    sync_audio_video: bool | None
    enable_room_previews: bool
    audio_video_sync: bool


class VideoRoomSession(VideoRoomSessionSummary):
    """A session in a list."""

    cost_in_dollars: float = 0.0
    locked_cover: str = ""


class VideoMember(Data):
    id: str
    room_session_id: str
    name: str | None
    join_time: str | None
    leave_time: str | None
    duration: int | None
    cost_in_dollars: float = 0.0


class VideoRecording(Data):
    id: str
    room_session_id: str
    status: str | None
    started_at: str | None
    finished_at: str | None
    duration: int | None
    size_in_bytes: int | None
    format: str | None = "mp4"
    cost_in_dollars: float = 0.0
    uri: str | None
    created_at: str
    updated_at: str
