"""The journal has everything that happened in a session: commands with their callers, and LiveKit's
webhooks."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from deploy.local.stack import Stack, StackLogin

DEADLINE = 60.0


class Api:
    def __init__(self, http: aiohttp.ClientSession):
        self._http = http

    async def call(self, method: str, path: str, token: str = "", body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._http.request(method, path, json=body, headers=headers) as response:
            answer = await response.json()
            assert response.status < 300, answer
            return answer["data"]

    async def status(self, method: str, path: str, token: str) -> int:
        async with self._http.request(method, path, headers={"Authorization": f"Bearer {token}"}) as response:
            return response.status

    async def sign_in(self, who: StackLogin) -> str:
        credentials = {"email": who.email, "password": who.password}
        signed_in = await self.call("POST", "/auth/login", body=credentials)
        return str(signed_in["access_token"])


@pytest.fixture
async def api(stack: Stack) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession(stack.base_url) as http:
        yield Api(http)


async def a_session_held(api: Api, host: str) -> str:
    room = (await api.call("POST", "/rooms", host, {"title": "Journal"}))["room"]["id"]
    preset = {"name": "Journal", "type": "whip", "primary_color": "#123456"}
    preset_id = (await api.call("POST", "/presets", host, preset))["id"]
    body = {"title": "Journal", "preset_id": preset_id}
    session = str((await api.call("POST", f"/rooms/{room}/sessions", host, body))["session"]["id"])
    await api.call("POST", f"/sessions/{session}/start", host)
    await api.call("POST", f"/sessions/{session}/end", host)
    return session


async def test_commands_and_webhooks_are_in_order(api: Api, stack: Stack) -> None:
    host, admin = await api.sign_in(stack.host), await api.sign_in(stack.admin)
    me = (await api.call("GET", "/auth/me", host))["id"]
    session = await a_session_held(api, host)
    entries = await _until_finished(api, admin, session)
    commands = [(entry["name"], entry["operation"]) for entry in entries if entry["kind"] == "command"]
    assert commands == [
        ("session.created.v1", "POST /rooms/{id}/sessions"),
        ("session.started.v1", "POST /sessions/{id}/start"),
        ("session.ended.v1", "POST /sessions/{id}/end"),
    ]
    assert {entry["actor"] for entry in entries if entry["kind"] == "command"} == {f"user:{me}"}
    assert all(entry["request_id"] for entry in entries if entry["kind"] == "command")
    assert {entry["session_id"] for entry in entries} == {session}


async def _until_finished(api: Api, admin: str, session: str) -> list[dict[str, Any]]:
    """The journal once LiveKit's last word about the room is in it."""
    path = f"/admin/sessions/{session}/journal?limit=100"
    entries: list[dict[str, Any]] = []
    async with asyncio.timeout(DEADLINE):
        while not any(entry["name"] == "livekit_room.finished.v1" for entry in entries):
            await asyncio.sleep(0.1)
            entries = (await api.call("GET", path, admin))["entries"]
    return entries
