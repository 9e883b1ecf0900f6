"""Sessions that encoders send to: ffmpeg by RTMP in the place of OBS, PyAV by WHIP; all behind is real."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

import aiohttp
import numpy as np
import pytest

from deploy.api_client import ApiClient
from deploy.demo.media_file import decode
from deploy.local.stack import Stack
from shared.livekit import LiveKitApi
from tests.publishers.pictures import BRIGHT, DARK, NEAR, Luma, last_picture
from tests.waiting import equal_to, eventually

pytestmark = pytest.mark.timeout(360)

DEADLINE = 120.0
# In 4:3, with a mark in each corner.
MARKS = ",".join(f"drawbox=x={x}:y={y}:w=64:h=64:color=white:t=fill" for x in (0, 576) for y in (0, 416))
PICTURE = ("-f", "lavfi", "-i", f"testsrc2=size=640x480:rate=25,{MARKS}")
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000")
# B-frames, as encoders make them by default and WebRTC does not know them.
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "50", "-pix_fmt", "yuv420p")


def by_rtmp(url: str) -> tuple[str, ...]:
    return ("ffmpeg", "-loglevel", "error", "-re", *PICTURE, *SOUND, *H264, "-c:a", "aac", "-f", "flv", url)


def unusual(kind: str, url: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.e2e.rtmp_encoder", kind, url)


def by_whip(url: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.e2e.whip_encoder", url)


@asynccontextmanager
async def encoder(command: tuple[str, ...]) -> AsyncIterator[Process]:
    """Publishes until it is sent away, or the block ends."""
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stderr=DEVNULL)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@dataclass(frozen=True)
class EncoderSession:
    """A new session with a recording, and what is to be seen of it."""

    http: ApiClient
    livekit: LiveKitApi
    made: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.made["session"]["id"])

    @property
    def rtmp_address(self) -> str:
        return f"{self.made['rtmp_url']}/{self.made['stream_key']}"

    @property
    def rtmp(self) -> tuple[str, ...]:
        return by_rtmp(self.rtmp_address)

    @property
    def wrong_rtmp(self) -> tuple[str, ...]:
        return by_rtmp(f"{self.made['rtmp_url']}/wrong")

    async def call(self, method: str, path: str) -> Any:
        return await self.http.call(method, f"/sessions/{self.id}{path}")

    async def status(self) -> str:
        return str((await self.call("GET", ""))["status"])

    async def encoders(self) -> int:
        """How many publish in the room, beside a recorder; none before it is open."""
        people = await self.livekit.list_participants(self.id)
        return sum(not one.permissions.hidden for one in people)

    async def segments(self) -> list[str]:
        """The addresses of those that can be played now, the newest last."""
        url = (await self.call("GET", ""))["hls_url"]
        playlist = (await self.http.fetch(url)).decode().splitlines() if url else []
        return [urljoin(url, line) for line in playlist if line and not line.startswith("#")]

    async def is_heard(self, segment: str) -> bool:
        """Whether it has the encoder's tone."""
        return (await decode(await self.http.fetch(segment))).tone

    async def is_whole(self, segment: str) -> bool:
        """Whether its last picture has the encoder's marks between bars; the host's name hides one."""
        picture = last_picture(BytesIO(await self.http.fetch(segment)))
        marks = [picture[row, column] for row, column in ((16, 176), (16, 1104), (704, 1104))]
        bars = np.concatenate([picture[:600, :150], picture[:600, 1130:]])
        return bool(min(marks) > BRIGHT - NEAR and bars.max() < DARK)

    async def shape(self) -> tuple[float, bool] | None:
        """Of the newest segment: a bright square's width by its height, and whether the picture lies."""
        for newest in (await self.segments())[-1:]:
            return shape(last_picture(BytesIO(await self.http.fetch(newest))))
        return None

    async def is_streamed(self) -> bool:
        """Whether the stream's newest segment has the encoder's tone."""
        return any([await self.is_heard(newest) for newest in (await self.segments())[-1:]])

    async def recordings(self) -> list[str]:
        return [str(one["status"]) for one in (await self.call("GET", "/recordings"))["recordings"]]


def shape(picture: Luma) -> tuple[float, bool] | None:
    """None without a bright square in its middle."""
    middle = picture.shape[0] // 2, picture.shape[1] // 2
    bright = picture > BRIGHT / 2
    across, down = bright[middle[0]].sum(), bright[:, middle[1]].sum()
    if not down:
        return None
    # A picture that stands is between bars, which are darker than it.
    return round(float(across / down), 2), bool(picture[middle[0], middle[1] // 4] > DARK)


def is_square(*, lying: bool) -> Callable[[tuple[float, bool] | None], bool]:
    return lambda seen: seen is not None and abs(seen[0] - 1) <= 0.03 and seen[1] is lying


class EncoderHost:
    """A host who makes sessions."""

    def __init__(self, http: ApiClient, livekit: LiveKitApi):
        self._http = http
        self._livekit = livekit

    async def broadcast(self, preset_type: str, mode: str) -> EncoderSession:
        look = {"name": "Encoder", "type": preset_type, "primary_color": "#112233", "recording_enabled": True}
        preset = await self._post("/presets", look)
        room = (await self._post("/rooms", {"title": "From afar"}))["room"]
        body = {"title": "By encoder", "preset_id": preset["id"], "mode": mode}
        made = await self._post(f"/rooms/{room['id']}/sessions", body)
        return EncoderSession(self._http, self._livekit, made)

    async def _post(self, path: str, body: dict[str, object]) -> Any:
        return await self._http.call("POST", path, body=body)


@pytest.fixture
async def encoder_host(stack: Stack) -> AsyncIterator[EncoderHost]:
    livekit = LiveKitApi(stack.livekit_url, stack.livekit_api_key, stack.livekit_api_secret)
    async with aiohttp.ClientSession() as client:
        http = await ApiClient(stack.base_url, client).sign_in(stack.host.email, stack.host.password)
        yield EncoderHost(http, livekit)
    await livekit.close()


@pytest.fixture
async def broadcast(encoder_host: EncoderHost) -> EncoderSession:
    return await encoder_host.broadcast("rtmp", "rtmp")


async def test_media_makes_a_session_live_and_its_end_sends_the_encoder_away(
    broadcast: EncoderSession,
) -> None:
    async with encoder(broadcast.rtmp) as publishing:
        await eventually(broadcast.status, equal_to("live"), DEADLINE)
        await eventually(broadcast.encoders, equal_to(1), DEADLINE)
        await broadcast.call("POST", "/end")
        async with asyncio.timeout(DEADLINE):
            assert await publishing.wait() != 0
    async with encoder(broadcast.rtmp) as late, asyncio.timeout(DEADLINE):
        assert await late.wait() != 0
    assert await broadcast.status() == "ended"


async def test_a_wrong_key_and_a_second_encoder_are_refused(broadcast: EncoderSession) -> None:
    async with encoder(broadcast.wrong_rtmp) as wrong, asyncio.timeout(DEADLINE):
        assert await wrong.wait() != 0
    assert await broadcast.status() == "scheduled"
    async with encoder(broadcast.rtmp) as first:
        await eventually(broadcast.encoders, equal_to(1), DEADLINE)
        async with encoder(broadcast.rtmp) as second, asyncio.timeout(DEADLINE):
            assert await second.wait() != 0
        assert first.returncode is None
        assert await broadcast.status() == "live"
        await broadcast.call("POST", "/end")


async def test_who_sends_under_an_old_key_is_sent_away(broadcast: EncoderSession) -> None:
    async with encoder(broadcast.rtmp) as sending:
        await eventually(broadcast.encoders, equal_to(1), DEADLINE)
        await broadcast.call("POST", "/rotate_stream_key")
        async with asyncio.timeout(DEADLINE):
            assert await sending.wait() != 0
    assert await broadcast.status() == "live"
    await broadcast.call("POST", "/end")


async def test_an_encoder_that_comes_back_goes_on_in_the_same_session_and_recording(
    broadcast: EncoderSession,
) -> None:
    async with encoder(broadcast.rtmp):
        await eventually(broadcast.is_streamed, bool, DEADLINE)
        heard = (await broadcast.segments())[-1]
        ahead = await eventually(broadcast.segments, lambda found: heard in found[:-2], DEADLINE)
        assert [await broadcast.is_heard(segment) for segment in ahead[-2:]] == [True, True]
        assert await broadcast.is_whole(ahead[-1])
    await eventually(broadcast.encoders, equal_to(0), DEADLINE)
    assert await broadcast.status() == "live"
    async with encoder(broadcast.rtmp):
        await eventually(broadcast.encoders, equal_to(1), DEADLINE)
        await eventually(broadcast.is_streamed, bool, DEADLINE)
        await broadcast.call("POST", "/end")
    await eventually(broadcast.recordings, equal_to(["completed"]), DEADLINE)


async def test_what_comes_by_whip_is_streamed_and_recorded_as_well(encoder_host: EncoderHost) -> None:
    broadcast = await encoder_host.broadcast("whip", "webcam")
    started = await broadcast.call("POST", "/go_live")
    async with encoder(by_whip(started["whip_url"])):
        await eventually(broadcast.encoders, equal_to(1), DEADLINE)
        await eventually(broadcast.is_streamed, bool, DEADLINE)
        await broadcast.call("POST", "/end")
    await eventually(broadcast.recordings, equal_to(["completed"]), DEADLINE)


async def test_an_encoder_that_turns_is_streamed_in_its_shape(broadcast: EncoderSession) -> None:
    async with encoder(unusual("turning", broadcast.rtmp_address)):
        await eventually(broadcast.shape, is_square(lying=True), DEADLINE)
        await eventually(broadcast.shape, is_square(lying=False), DEADLINE)


async def test_hevc_by_enhanced_rtmp_is_streamed_and_sound_that_begins_later(
    broadcast: EncoderSession,
) -> None:
    async with encoder(unusual("hevc", broadcast.rtmp_address)):
        await eventually(broadcast.shape, is_square(lying=True), DEADLINE)
        await eventually(broadcast.is_streamed, bool, DEADLINE)
        ingress = (await broadcast.call("GET", "/stream_health"))["ingress"]
        assert (ingress["video"]["codec"], ingress["problem"]) == ("hevc", None)
