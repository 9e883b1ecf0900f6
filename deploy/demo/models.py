"""What the demo reads of the API's answers; everything else in them is passed over."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel


class User(BaseModel):
    id: str
    username: str


class SignedIn(BaseModel):
    """One sign-in; `device_token` comes with the registration of a viewer only."""

    user: User
    access_token: str
    device_token: str = ""


class Preset(BaseModel):
    id: str


class Room(BaseModel):
    id: str


class RoomMade(BaseModel):
    room: Room


class Session(BaseModel):
    id: str
    status: str
    viewer_count: int
    max_viewers: int
    duration: int | None
    hls_url: str | None = None


class Recording(BaseModel):
    """`duration` in whole seconds, `file_size` in bytes."""

    id: str
    status: str
    duration: int | None
    file_size: int | None
    error_message: str | None


class RecordingList(BaseModel):
    recordings: list[Recording]


class RecordingDownload(BaseModel):
    download_url: str


class SessionMade(BaseModel):
    session: Session


class Joined(BaseModel):
    livekit_token: str
    room_name: str = ""


class Started(Joined):
    session: Session


class ActiveViewer(BaseModel):
    user_id: str
    username: str


class ActiveViewers(BaseModel):
    viewers: list[ActiveViewer]
    total: int


class Attendance(BaseModel):
    """`watch_duration` in whole seconds."""

    user_id: str
    username: str
    joined_at: datetime
    left_at: datetime | None
    watch_duration: int
    join_count: int


class AttendanceList(BaseModel):
    attendance: list[Attendance]
    total: int
    currently_watching: int


class AttendanceStats(BaseModel):
    total_attendees: int
    currently_watching: int
    peak_viewers: int
    average_watch_duration: int
