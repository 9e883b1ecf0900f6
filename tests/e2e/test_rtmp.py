"""A session that an encoder sends to by RTMP: ffmpeg in the place of OBS, with everything real behind it."""

import asyncio
import os
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from deploy.demo.http import Http
from deploy.local.stack import Stack
from shared.livekit import LiveKitApi

pytestmark = pytest.mark.timeout(180)

DEADLINE = 40.0
PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25")
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000")
# B-frames, as encoders make them by default and WebRTC does not know them.
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "50", "-pix_fmt", "yuv420p")


@asynccontextmanager
async def encoder(url: str) -> AsyncIterator[Process]:
    """Publishes until it is sent away, or the block ends."""
    process = await asyncio.create_subprocess_exec(
        *("ffmpeg", "-loglevel", "error", "-re", *PICTURE, *SOUND, *H264, "-c:a", "aac", "-f", "flv", url),
        stdin=DEVNULL,
        stderr=DEVNULL,
        env=os.environ,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@dataclass(frozen=True)
class Broadcast:
    """A new session in mode rtmp, and what is to be seen of it."""

    http: Http
    livekit: LiveKitApi
    token: str
    id: str
    server: str
    stream_key: str

    @property
    def url(self) -> str:
        return f"{self.server}/{self.stream_key}"

    async def status(self) -> str:
        return str((await self.http.call("GET", f"/sessions/{self.id}"))["status"])

    async def encoders(self) -> int:
        """How many publish in the room, beside a recorder; none before it is open."""
        people = await self.livekit.list_participants(self.id)
        return sum(one.identity.endswith(":ingress") for one in people)

    async def end(self) -> None:
        await self.http.call("POST", f"/sessions/{self.id}/end", token=self.token)


@pytest.fixture
async def broadcast(stack: Stack) -> AsyncIterator[Broadcast]:
    livekit = LiveKitApi(stack.livekit_url, stack.livekit_api_key, stack.livekit_api_secret)
    async with aiohttp.ClientSession() as client:
        http = Http(stack.base_url, client)
        login = {"email": stack.host.email, "password": stack.host.password}
        token = (await http.call("POST", "/auth/login", body=login))["access_token"]
        look = {"name": "Encoder", "type": "rtmp", "primary_color": "#112233"}
        preset = await http.call("POST", "/presets", token=token, body=look)
        room = (await http.call("POST", "/rooms", token=token, body={"title": "From afar"}))["room"]
        body = {"title": "By RTMP", "preset_id": preset["id"], "mode": "rtmp"}
        made = await http.call("POST", f"/rooms/{room['id']}/sessions", token=token, body=body)
        yield Broadcast(http, livekit, token, made["session"]["id"], made["rtmp_url"], made["stream_key"])
    await livekit.close()


async def until(look: Callable[[], Awaitable[Any]], right: Callable[[Any], bool]) -> None:
    """Look until it is right; fails with what was seen last."""
    deadline = asyncio.get_running_loop().time() + DEADLINE
    while not right(seen := await look()):
        assert asyncio.get_running_loop().time() < deadline, seen
        await asyncio.sleep(0.1)


async def test_media_makes_a_session_live_and_its_end_sends_the_encoder_away(broadcast: Broadcast) -> None:
    async with encoder(broadcast.url) as publishing:
        await until(broadcast.status, lambda status: status == "live")
        await until(broadcast.encoders, lambda count: count == 1)
        await broadcast.end()
        async with asyncio.timeout(DEADLINE):
            assert await publishing.wait() != 0
    async with encoder(broadcast.url) as late, asyncio.timeout(DEADLINE):
        assert await late.wait() != 0
    assert await broadcast.status() == "ended"


async def test_a_wrong_key_and_a_second_encoder_are_refused(broadcast: Broadcast) -> None:
    async with encoder(f"{broadcast.server}/wrong") as wrong, asyncio.timeout(DEADLINE):
        assert await wrong.wait() != 0
    assert await broadcast.status() == "scheduled"
    async with encoder(broadcast.url) as first:
        await until(broadcast.encoders, lambda count: count == 1)
        async with encoder(broadcast.url) as second, asyncio.timeout(DEADLINE):
            assert await second.wait() != 0
        assert first.returncode is None
        assert await broadcast.status() == "live"
        await broadcast.end()


async def test_an_encoder_that_comes_back_goes_on_in_the_same_session(broadcast: Broadcast) -> None:
    async with encoder(broadcast.url):
        await until(broadcast.encoders, lambda count: count == 1)
    await until(broadcast.encoders, lambda count: count == 0)
    assert await broadcast.status() == "live"
    async with encoder(broadcast.url):
        await until(broadcast.encoders, lambda count: count == 1)
        assert await broadcast.status() == "live"
        await broadcast.end()
