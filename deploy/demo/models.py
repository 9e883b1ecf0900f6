"""The fields of the API's answers that the demo uses; all others are ignored."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel


class UserData(BaseModel):
    id: str
    username: str


class LoginData(BaseModel):
    """`device_token` is given only when a viewer registers."""

    user: UserData
    access_token: str
    device_token: str = ""


class CreatedData(BaseModel):
    id: str


class RoomCreatedData(BaseModel):
    room: CreatedData


class SessionData(BaseModel):
    """`duration` in whole seconds, once the session has ended."""

    id: str
    status: str
    viewer_count: int
    max_viewers: int
    duration: int | None
    hls_url: str | None = None


class SessionCreatedData(BaseModel):
    session: SessionData


class RecordingData(BaseModel):
    """`duration` in whole seconds, `file_size` in bytes."""

    id: str
    status: str
    duration: int | None
    file_size: int | None
    error_message: str | None


class RecordingListData(BaseModel):
    recordings: list[RecordingData]


class RecordingDownloadData(BaseModel):
    download_url: str


class JoinData(BaseModel):
    livekit_token: str


class ViewerData(BaseModel):
    user_id: str
    username: str


class ViewersData(BaseModel):
    viewers: list[ViewerData]
    total: int


class AttendanceData(BaseModel):
    """`watch_duration` in whole seconds."""

    user_id: str
    username: str
    joined_at: datetime
    left_at: datetime | None
    watch_duration: int
    join_count: int


class AttendanceListData(BaseModel):
    attendance: list[AttendanceData]
    total: int
    currently_watching: int


class AttendanceStatsData(BaseModel):
    total_attendees: int
    currently_watching: int
    peak_viewers: int
    average_watch_duration: int
