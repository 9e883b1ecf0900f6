"""The calls of the public API that a live session needs, and the fields of their answers that the demo uses.

Every method raises CallFailed.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from deploy.api_client import ApiClient

PAGE = 100


class UserData(BaseModel):
    id: str
    username: str


class LoginData(BaseModel):
    """`device_token` is given only when a viewer registers."""

    user: UserData
    access_token: str
    device_token: str = ""


class SessionData(BaseModel):
    """`duration` in whole seconds, once the session has ended."""

    id: str
    status: str
    viewer_count: int
    max_viewers: int
    duration: int | None
    hls_url: str | None = None


class JoinData(BaseModel):
    """What a LiveKit client connects with."""

    livekit_token: str
    livekit_url: str


class RecordingData(BaseModel):
    """`duration` in whole seconds, `file_size` in bytes."""

    id: str
    status: str
    duration: int | None
    file_size: int | None
    error_message: str | None


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


class Api:
    """The calls that need no sign-in."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def login(self, email: str, password: str) -> HostApi:
        return HostApi(self._client, await self._sign_in("login", email=email, password=password))

    async def register_viewer(self, name: str) -> MemberApi:
        return MemberApi(self._client, await self._sign_in("viewer/register", display_name=name))

    async def device_login(self, device_token: str) -> MemberApi:
        """Another sign-in of a registered viewer."""
        signed_in = await self._sign_in("viewer/device-login", device_token=device_token)
        return MemberApi(self._client, signed_in)

    async def _sign_in(self, path: str, **body: str) -> LoginData:
        return await self._client.read(LoginData, "POST", f"/auth/{path}", body=body)


class MemberApi:
    """The calls of one sign-in of a viewer."""

    def __init__(self, client: ApiClient, signed_in: LoginData) -> None:
        self.signed_in = signed_in
        self._client = client.with_token(signed_in.access_token)

    async def join(self, session_id: str) -> JoinData:
        return await self._client.read(JoinData, "POST", f"/sessions/{session_id}/join")

    async def leave(self, session_id: str) -> None:
        await self._client.call("POST", f"/sessions/{session_id}/leave")

    async def session(self, session_id: str) -> SessionData:
        return await self._client.read(SessionData, "GET", f"/sessions/{session_id}")

    async def viewers(self, session_id: str) -> ViewersData:
        return await self._client.read(ViewersData, "GET", f"/sessions/{session_id}/viewers")

    async def fetch(self, url: str) -> bytes:
        """The file at a URL that the API gave."""
        return await self._client.fetch(url)


class HostApi(MemberApi):
    """The further calls of one sign-in of a host."""

    async def create_preset(self, name: str) -> str:
        """The preset's id."""
        body = {"name": name, "type": "whip", "primary_color": "#2563EB", "recording_enabled": True}
        return await self._client.read(str, "POST", "/presets", body=body, field="id")

    async def create_room(self, title: str) -> str:
        """The room's id."""
        body = {"title": title, "description": "Made by `greenroom demo`."}
        return await self._client.read(str, "POST", "/rooms", body=body, field="room.id")

    async def create_session(self, room_id: str, preset_id: str, title: str) -> str:
        """The session's id."""
        body = {"title": title, "mode": "webcam", "preset_id": preset_id}
        path = f"/rooms/{room_id}/sessions"
        return await self._client.read(str, "POST", path, body=body, field="session.id")

    async def go_live(self, session_id: str) -> JoinData:
        return await self._client.read(JoinData, "POST", f"/sessions/{session_id}/go_live")

    async def monitor(self, session_id: str) -> JoinData:
        """For a hidden participant that only watches."""
        return await self._client.read(JoinData, "GET", f"/sessions/{session_id}/monitor")

    async def end(self, session_id: str) -> None:
        await self._client.call("POST", f"/sessions/{session_id}/end")

    async def recordings(self, session_id: str) -> list[RecordingData]:
        path = f"/sessions/{session_id}/recordings"
        return await self._client.read(list[RecordingData], "GET", path, field="recordings")

    async def download_url(self, recording_id: str) -> str:
        """The file's signed URL."""
        path = f"/recordings/{recording_id}/download"
        return await self._client.read(str, "GET", path, field="download_url")

    async def attendance(self, session_id: str) -> AttendanceListData:
        """The first 100 people; a demo has fewer."""
        path = f"/sessions/{session_id}/attendance"
        return await self._client.read(AttendanceListData, "GET", path, query={"limit": PAGE})

    async def statistics(self, session_id: str) -> AttendanceStatsData:
        return await self._client.read(AttendanceStatsData, "GET", f"/sessions/{session_id}/attendance/stats")
