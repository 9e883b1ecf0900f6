"""Streams and recordings through the API, with real media and the recorder that comes with Greenroom."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import aiohttp
import av
import pytest

from shared.clock import SystemClock
from shared.egress.engine import EgressStatus
from shared.ids import new_id
from tests.publishers.publisher import Publisher
from tests.publishers.recorder_jobs import recorder_jobs_of
from tests.running_stack import RunningStack

pytestmark = pytest.mark.timeout(240)

# Seconds; what is promised is less, where the machine has nothing else to do.
PLAYABLE, STORED, PATIENT, POLL = 60.0, 90.0, 10.0, 0.2


class TimedOut(AssertionError):
    """What was waited for did not come before the deadline."""


@dataclass(frozen=True)
class Api:
    """A customer's backend."""

    http: aiohttp.ClientSession
    base: str

    async def call(self, method: str, path: str, **body: Any) -> Any:
        """The answer's data. What is unavailable is asked for again after a while, as it says itself."""
        deadline = time.monotonic() + PATIENT
        while True:
            async with self.http.request(method, self.base + path, json=body or None) as answer:
                told = await answer.json()
            if answer.status != 503 or time.monotonic() > deadline:
                assert answer.status < 300, told
                return told["data"]
            await asyncio.sleep(POLL)

    async def until(self, path: str, holds: Callable[[Any], Any], within: float) -> Any:
        """What is at `path`, once that holds of it."""
        deadline = time.monotonic() + within
        while not holds(found := await self.call("GET", path)):
            if time.monotonic() > deadline:
                raise TimedOut(f"{path}: {found}")
            await asyncio.sleep(POLL)
        return found

    async def session(self, *, record: bool) -> str:
        preset = await self.call(
            "POST",
            "/presets",
            name="P",
            type="whip",
            primary_color="#102030",
            recording_enabled=record,
        )
        room = (await self.call("POST", "/rooms", title="A room"))["room"]
        path = f"/rooms/{room['id']}/sessions"
        made = await self.call("POST", path, title="A session", preset_id=preset["id"])
        return str(made["session"]["id"])

    async def text(self, url: str) -> str:
        async with self.http.get(url) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.text()

    async def text_once(self, url: str, holds: Callable[[str], bool], within: float) -> str:
        """What is at `url` once that holds of it; a playlist is kept for a moment before it is made anew."""
        deadline = time.monotonic() + within
        while not holds(text := await self.text(url)):
            if time.monotonic() > deadline:
                raise TimedOut(f"{url}: {text}")
            await asyncio.sleep(POLL)
        return text

    async def content(self, url: str) -> bytes:
        async with self.http.get(url) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.read()


@pytest.fixture
async def api(running_stack: RunningStack) -> AsyncIterator[Api]:
    key = running_stack.info.api_key
    headers = {"X-API-Key": f"{key.id}.{key.secret}"}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(30)) as http:
        yield Api(http, running_stack.info.base_url)


@dataclass(frozen=True)
class LiveStream:
    """A live session whose host is on stage; `url` is where its stream is played."""

    session: str
    host: Publisher
    url: str
    playable_after: float


@pytest.fixture
async def live_stream(running_stack: RunningStack, api: Api) -> AsyncIterator[LiveStream]:
    session, host = await api.session(record=True), Publisher("Hanna Berg", new_id())
    began = time.monotonic()
    live = await api.call("POST", f"/sessions/{session}/go_live")
    await host.join(running_stack.info.livekit_url, live["livekit_token"])
    await host.show()
    await host.speak()
    found = await api.until(f"/sessions/{session}", lambda one: one["hls_url"], PLAYABLE)
    yield LiveStream(session, host, found["hls_url"], time.monotonic() - began)
    await host.close()


def entries(playlist: str) -> list[str]:
    return [line for line in playlist.splitlines() if line and not line.startswith("#")]


def streams(content: bytes) -> dict[str, Any]:
    """Of a media file: its codecs, its size, and its duration in seconds."""
    with av.open(io.BytesIO(content), "r") as media:
        video, audio = media.streams.video[0], media.streams.audio[0]
        return {
            "codecs": (video.codec_context.name, audio.codec_context.name),
            "size": (video.codec_context.width, video.codec_context.height),
            "duration": (media.duration or 0) / av.time_base,
        }


async def grown(api: Api, live_stream: LiveStream, segments: int) -> str:
    """The full playlist, once it has so many segments."""
    url = urljoin(live_stream.url, "index.m3u8")
    deadline = time.monotonic() + PLAYABLE
    while len(entries(text := await api.text(url))) < segments:
        if time.monotonic() > deadline:
            raise TimedOut(text)
        await asyncio.sleep(POLL)
    return text


async def the_recording(api: Api, live_stream: LiveStream) -> Any:
    """The session's recording, once it is over."""
    path = f"/sessions/{live_stream.session}/recordings"
    over = await api.until(
        path,
        lambda one: one["recordings"] and all(each["status"] != "recording" for each in one["recordings"]),
        STORED,
    )
    (recording,) = over["recordings"]
    return recording


async def test_a_session_is_streamed_and_recorded(api: Api, live_stream: LiveStream) -> None:
    health = await api.until(
        f"/sessions/{live_stream.session}/stream_health",
        lambda one: (one["status"], one["egress"]["status"]) == ("healthy", "active"),
        PLAYABLE,
    )
    assert {track["source"] for track in health["tracks"]} == {"camera", "microphone"}

    text = await grown(api, live_stream, 4)
    segment = await api.content(urljoin(live_stream.url, entries(text)[1]))
    assert streams(segment)["codecs"] == ("h264", "aac")
    assert streams(segment)["size"] == (1280, 720)

    await api.call("POST", f"/sessions/{live_stream.session}/end")
    recording = await the_recording(api, live_stream)
    assert (recording["status"], recording["error_message"]) == ("completed", None)
    over = await api.until(
        f"/sessions/{live_stream.session}", lambda one: one["hls_url"].endswith("/index.m3u8"), STORED
    )
    archive = await api.text_once(over["hls_url"], lambda text: text.endswith("#EXT-X-ENDLIST\n"), STORED)

    link = await api.call("GET", f"/recordings/{recording['id']}/download")
    file = await api.content(link["download_url"])
    assert len(file) == recording["file_size"]
    found = streams(file)
    assert found["codecs"] == ("h264", "aac")
    assert abs(found["duration"] - recording["duration"]) < 1
    told = sum(float(line[8:-1]) for line in archive.splitlines() if line.startswith("#EXTINF:"))
    assert abs(found["duration"] - told) < 1


async def test_a_stream_goes_on_without_its_recording(api: Api, live_stream: LiveStream) -> None:
    await grown(api, live_stream, 2)
    await api.call("POST", f"/sessions/{live_stream.session}/recordings/stop")
    recording = await the_recording(api, live_stream)
    assert recording["status"] == "completed"
    before = len(entries(await grown(api, live_stream, 2)))
    text = await grown(api, live_stream, before + 3)
    folders = {entry.split("/")[0] for entry in entries(text)}
    assert (len(folders), text.count("#EXT-X-DISCONTINUITY\n")) == (2, 1)
    await api.call("POST", f"/sessions/{live_stream.session}/end")


async def test_a_recording_outlives_the_egress_service(
    running_stack: RunningStack, api: Api, live_stream: LiveStream
) -> None:
    await grown(api, live_stream, 2)
    async with recorder_jobs_of(running_stack) as recorder_jobs:
        (job,) = await recorder_jobs.jobs.of_session(live_stream.session)
        there = len(await recorder_jobs.segments.of(job.key))
        async with running_stack.held("egress"):
            await recorder_jobs.until_segments(job.key, there + 2, within=PLAYABLE)
    await grown(api, live_stream, there + 3)
    await api.call("POST", f"/sessions/{live_stream.session}/end")
    recording = await the_recording(api, live_stream)
    assert (recording["status"], recording["error_message"]) == ("completed", None)
    text = await api.text(urljoin(live_stream.url, "index.m3u8"))
    assert [int(entry[-9:-3]) for entry in entries(text)] == list(range(len(entries(text))))
    assert "#EXT-X-DISCONTINUITY\n" not in text


async def test_the_end_is_not_lost_with_the_egress_service(
    running_stack: RunningStack, api: Api, live_stream: LiveStream
) -> None:
    await grown(api, live_stream, 2)
    async with running_stack.held("egress"):
        await api.call("POST", f"/sessions/{live_stream.session}/end")
    recording = await the_recording(api, live_stream)
    assert recording["status"] == "completed"


async def test_a_stream_that_failed_is_replaced(
    running_stack: RunningStack, api: Api, live_stream: LiveStream
) -> None:
    await grown(api, live_stream, 2)
    async with recorder_jobs_of(running_stack) as recorder_jobs:
        (job,) = await recorder_jobs.jobs.of_session(live_stream.session)
        fate = {
            "status": EgressStatus.FAILED.value,
            "error": "The disk is full",
            "ended_at": SystemClock().now(),
        }
        await recorder_jobs.mongo.collection("recorder_jobs").update({"_id": job.key}, {"$set": fate})
    path = f"/sessions/{live_stream.session}/stream_health"
    failed = job.egress_id
    await api.until(
        path, lambda one: one["status"] == "healthy" and one["egress"]["egress_id"] != failed, PLAYABLE
    )
    await api.call("POST", f"/sessions/{live_stream.session}/ensure_hls_egress")
    await grown(api, live_stream, 5)
    async with recorder_jobs_of(running_stack) as recorder_jobs:
        assert len(await recorder_jobs.jobs.of_session(live_stream.session)) == 2
    listed = await api.call("GET", f"/sessions/{live_stream.session}/recordings")
    first, second = sorted(listed["recordings"], key=lambda one: one["continues"] is not None)
    assert (first["status"], first["error_message"]) == ("failed", "The disk is full; part 2 goes on")
    assert (second["status"], second["continues"]) == ("recording", first["id"])
    await api.call("POST", f"/sessions/{live_stream.session}/end")


async def test_a_lost_file_is_made_again(
    running_stack: RunningStack, api: Api, live_stream: LiveStream
) -> None:
    await grown(api, live_stream, 3)
    await api.call("POST", f"/sessions/{live_stream.session}/end")
    before = await the_recording(api, live_stream)
    (running_stack.data.data_of("storage") / before["file_path"]).unlink()
    async with recorder_jobs_of(running_stack) as recorder_jobs:
        lost = {"status": "failed", "error": "The file is gone from the storage"}
        await recorder_jobs.mongo.collection("recordings").update({"_id": before["id"]}, {"$set": lost})
    admin = running_stack.info.admin
    body = {"email": admin.email, "password": admin.password}
    token = (await api.call("POST", "/auth/login", **body))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{api.base}/admin/recordings/{before['id']}/retry"
    async with aiohttp.request("POST", url, headers=headers) as answer:
        told = (await answer.json())["data"]
    assert (told["status"], told["retry_count"]) == ("recording", 1)
    after = await the_recording(api, live_stream)
    assert (after["status"], after["error_message"]) == ("completed", None)
    assert abs(after["duration"] - before["duration"]) <= 1
    link = await api.call("GET", f"/recordings/{after['id']}/download")
    assert streams(await api.content(link["download_url"]))["codecs"] == ("h264", "aac")
