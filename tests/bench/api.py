"""The gateway as the benchmarks call it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from deploy.local.stack import Stack


class Api:
    """Calls that have to succeed; as the stack's host unless another token is given."""

    def __init__(self, http: aiohttp.ClientSession):
        self.http = http
        self.token = ""

    async def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        token = self.token if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.http.request(method, path, json=body, headers=headers) as response:
            answer = await response.json()
            if response.status >= 300:
                raise RuntimeError(f"{method} {path}: {response.status} {answer}")
            return answer["data"]

    async def room(self) -> str:
        return str((await self.call("POST", "/rooms", {"title": "Benchmark"}))["room"]["id"])

    async def preset(self) -> str:
        body = {"name": "Benchmark", "type": "whip", "primary_color": "#123456"}
        return str((await self.call("POST", "/presets", body))["id"])

    async def session(self, room: str, preset: str) -> str:
        body = {"title": "Benchmark", "preset_id": preset}
        return str((await self.call("POST", f"/rooms/{room}/sessions", body))["session"]["id"])

    async def viewer(self) -> str:
        """A new viewer's access token."""
        body = {"display_name": "Benchmark"}
        return str((await self.call("POST", "/auth/viewer/register", body, token=""))["access_token"])


@asynccontextmanager
async def connect(stack: Stack, at_once: int = 64) -> AsyncIterator[Api]:
    """The gateway, with the stack's host signed in."""
    connector = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(stack.base_url, connector=connector) as http:
        api = Api(http)
        body = {"email": stack.host.email, "password": stack.host.password}
        api.token = (await api.call("POST", "/auth/login", body))["access_token"]
        yield api


def public_key(data_dir: Path) -> str:
    """The stack's key for access tokens, which the baselines verify with too."""
    secrets = json.loads((data_dir / "secrets.json").read_text())
    return str(secrets["identity_public_key"])
