"""The gateway's public API, as far as a live session needs it. Every method raises CallFailed."""

from __future__ import annotations

from deploy.demo.http import Http
from deploy.demo.models import (
    ActiveViewers,
    AttendanceList,
    AttendanceStats,
    Joined,
    Preset,
    Recording,
    RecordingDownload,
    RecordingList,
    Room,
    RoomMade,
    Session,
    SessionMade,
    SignedIn,
    Started,
)

PAGE = 100


class Api:
    """What anybody may call."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def login(self, email: str, password: str) -> HostApi:
        body = {"email": email, "password": password}
        return HostApi(self._http, await self._http.read(SignedIn, "POST", "/auth/login", body=body))

    async def register_viewer(self, name: str) -> MemberApi:
        body = {"display_name": name}
        return MemberApi(
            self._http, await self._http.read(SignedIn, "POST", "/auth/viewer/register", body=body)
        )

    async def device_login(self, device_token: str) -> MemberApi:
        """Another sign-in of a registered viewer."""
        body = {"device_token": device_token}
        return MemberApi(
            self._http, await self._http.read(SignedIn, "POST", "/auth/viewer/device-login", body=body)
        )


class MemberApi:
    """What one sign-in of a viewer calls."""

    def __init__(self, http: Http, signed_in: SignedIn) -> None:
        self._http = http
        self.signed_in = signed_in
        self._token = signed_in.access_token

    async def join(self, session_id: str) -> Joined:
        return await self._http.read(Joined, "POST", f"/sessions/{session_id}/join", token=self._token)

    async def leave(self, session_id: str) -> None:
        await self._http.call("POST", f"/sessions/{session_id}/leave", token=self._token)

    async def session(self, session_id: str) -> Session:
        return await self._http.read(Session, "GET", f"/sessions/{session_id}", token=self._token)

    async def fetch(self, url: str) -> bytes:
        """What an address that the API named gives; it needs no sign-in."""
        return await self._http.fetch(url)

    async def viewers(self, session_id: str) -> ActiveViewers:
        return await self._http.read(
            ActiveViewers, "GET", f"/sessions/{session_id}/viewers", token=self._token
        )


class HostApi(MemberApi):
    """What one sign-in of a host calls, besides."""

    async def create_preset(self, name: str) -> Preset:
        body = {"name": name, "type": "whip", "primary_color": "#2563EB", "recording_enabled": True}
        return await self._http.read(Preset, "POST", "/presets", token=self._token, body=body)

    async def create_room(self, title: str) -> Room:
        body = {"title": title, "description": "Made by `greenroom demo`."}
        return (await self._http.read(RoomMade, "POST", "/rooms", token=self._token, body=body)).room

    async def create_session(self, room_id: str, preset_id: str, title: str) -> Session:
        body = {"title": title, "mode": "webcam", "preset_id": preset_id}
        made = await self._http.read(
            SessionMade, "POST", f"/rooms/{room_id}/sessions", token=self._token, body=body
        )
        return made.session

    async def go_live(self, session_id: str) -> Started:
        return await self._http.read(Started, "POST", f"/sessions/{session_id}/go_live", token=self._token)

    async def monitor(self, session_id: str) -> Joined:
        """A token for a hidden participant that only watches."""
        return await self._http.read(Joined, "GET", f"/sessions/{session_id}/monitor", token=self._token)

    async def end(self, session_id: str) -> None:
        await self._http.call("POST", f"/sessions/{session_id}/end", token=self._token)

    async def recordings(self, session_id: str) -> list[Recording]:
        path = f"/sessions/{session_id}/recordings"
        return (await self._http.read(RecordingList, "GET", path, token=self._token)).recordings

    async def download_url(self, recording_id: str) -> str:
        """The file's signed address."""
        path = f"/recordings/{recording_id}/download"
        return (await self._http.read(RecordingDownload, "GET", path, token=self._token)).download_url

    async def attendance(self, session_id: str) -> AttendanceList:
        """The first 100 people; a demo has fewer."""
        return await self._http.read(
            AttendanceList,
            "GET",
            f"/sessions/{session_id}/attendance",
            token=self._token,
            query={"limit": str(PAGE)},
        )

    async def statistics(self, session_id: str) -> AttendanceStats:
        return await self._http.read(
            AttendanceStats, "GET", f"/sessions/{session_id}/attendance/stats", token=self._token
        )
