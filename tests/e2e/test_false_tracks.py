"""People who publish something else than they declare: nobody hears or sees it, nor does a stream."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from livekit import rtc

from deploy.local.stack import Stack
from tests.contract.api.accounts import Person
from tests.contract.api.fixtures import Fixtures
from tests.publishers.reading import read
from tests.publishers.recorder_jobs import is_over, recorder_jobs_of
from tests.running_stack import RunningStack
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)

# A second is promised; where all tests run at once it may take longer.
AT_ONCE = 8.0
DEADLINE = 60.0
AUDIBLE = 500

CAMERA, MICROPHONE = rtc.TrackSource.SOURCE_CAMERA, rtc.TrackSource.SOURCE_MICROPHONE
SCREEN, SCREEN_SOUND = rtc.TrackSource.SOURCE_SCREENSHARE, rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO


class Liar:
    """Somebody with a tone and a picture, who declares them as whatever they like."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.gone = asyncio.Event()
        self.room.on("disconnected", lambda _reason: self.gone.set())
        self._tasks: list[asyncio.Task[None]] = []

    async def sound(self, source: rtc.TrackSource.ValueType) -> str:
        """Publish a tone; the track's sid."""
        made = rtc.AudioSource(48_000, 1, queue_size_ms=0)
        self._tasks.append(asyncio.create_task(_hum(made)))
        return await self._publish(rtc.LocalAudioTrack.create_audio_track("sound", made), source)

    async def picture(self, source: rtc.TrackSource.ValueType) -> str:
        """Publish a picture; the track's sid."""
        made = rtc.VideoSource(320, 180)
        self._tasks.append(asyncio.create_task(_show(made)))
        return await self._publish(rtc.LocalVideoTrack.create_video_track("picture", made), source)

    async def _publish(self, track: rtc.LocalTrack, source: rtc.TrackSource.ValueType) -> str:
        options = rtc.TrackPublishOptions(source=source, simulcast=False)
        publication = await self.room.local_participant.publish_track(track, options)
        return publication.sid

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.room.disconnect()


async def _hum(source: rtc.AudioSource) -> None:
    wave = (12_000 * np.sin(2 * np.pi * 440 * np.arange(480) / 48_000 * 10)).astype(np.int16)
    while True:
        await source.capture_frame(rtc.AudioFrame(wave.tobytes(), 48_000, 1, 480))
        await asyncio.sleep(0.01)


async def _show(source: rtc.VideoSource) -> None:
    frame = rtc.VideoFrame(320, 180, rtc.VideoBufferType.RGBA, bytes(320 * 180 * 4))
    while True:
        source.capture_frame(frame)
        await asyncio.sleep(1 / 15)


class Audience:
    """Who hears and sees: which tracks there are, and when they were last heard."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.published: set[str] = set()
        self.gone: set[str] = set()
        self.heard_at: dict[str, float] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.room.on("track_published", lambda publication, _: self.published.add(publication.sid))
        self.room.on("track_unpublished", lambda publication, _: self.gone.add(publication.sid))
        self.room.on("track_subscribed", self._hear)

    def _hear(self, track: rtc.Track, publication: rtc.RemoteTrackPublication, _: object) -> None:
        if isinstance(track, rtc.RemoteAudioTrack):
            self._tasks.append(asyncio.create_task(self._listen(track, publication.sid)))

    async def _listen(self, track: rtc.Track, sid: str) -> None:
        stream = rtc.AudioStream(track)
        try:
            async for event in stream:
                if np.abs(np.frombuffer(event.frame.data, dtype=np.int16)).max() > AUDIBLE:
                    self.heard_at[sid] = time.monotonic()
        finally:
            await stream.aclose()

    async def until_gone(self, sid: str) -> None:
        await until(lambda: sid in self.gone, AT_ONCE)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.room.disconnect()


@asynccontextmanager
async def joined(stack: Stack, fixtures: Fixtures, session: str, who: Person) -> AsyncIterator[Liar]:
    liar = Liar()
    await liar.room.connect(
        stack.livekit_url, (await fixtures.do("join", session, who)).data["livekit_token"]
    )
    try:
        yield liar
    finally:
        await liar.close()


@asynccontextmanager
async def watching(stack: Stack, fixtures: Fixtures, session: str) -> AsyncIterator[Audience]:
    audience, viewer = Audience(), await fixtures.viewer_of_its_own()
    token = (await fixtures.do("join", session, viewer)).data["livekit_token"]
    await audience.room.connect(stack.livekit_url, token)
    try:
        yield audience
    finally:
        await audience.close()


async def until(wanted: Callable[[], object], within: float = DEADLINE) -> None:
    async with asyncio.timeout(within):
        while not wanted():
            await asyncio.sleep(0.01)


async def ledger(fixtures: Fixtures, session: str) -> list[dict[str, Any]]:
    path = f"/admin/drift?session_id={session}&kind=track"
    return list((await fixtures.client.call("GET", path, fixtures.admin.access_token)).data["drift"])


async def put_on_stage(fixtures: Fixtures, session: str, guest: Person, **rights: bool) -> None:
    body = {"participant_identity": guest.id, **rights}
    path = f"/sessions/{session}/stage/add"
    answer = await fixtures.client.call("POST", path, fixtures.host.access_token, body)
    assert answer.status == 200, answer


async def on_stage(fixtures: Fixtures, session: str) -> list[str]:
    shown = await fixtures.get(f"/sessions/{session}/stage", fixtures.host)
    return [one["participant_identity"] for one in shown["participants"]]


async def test_a_guest_without_a_voice_is_heard_by_nobody(
    fixtures: Fixtures, stack: Stack, running_stack: RunningStack
) -> None:
    session = await fixtures.live_session(preset=await fixtures.preset(onstage_screen_share=True))
    guest = await fixtures.viewer_of_its_own()
    await put_on_stage(fixtures, session, guest, can_publish_audio=False)
    async with (
        recorder_jobs_of(running_stack) as jobs,
        watching(stack, fixtures, session) as audience,
    ):
        key = await jobs.order(session)
        await jobs.until_segments(key, 1, within=DEADLINE)
        async with joined(stack, fixtures, session, guest) as liar:
            for source in (CAMERA, SCREEN):
                began = time.monotonic()
                false = await liar.sound(source)
                await audience.until_gone(false)
                sys.stdout.write(f"ended after {(time.monotonic() - began) * 1000:.0f} ms\n")
                assert audience.heard_at.get(false, began) - began < AT_ONCE
            honest = await liar.picture(CAMERA)
            await until(lambda: honest in audience.published)
            assert (await on_stage(fixtures, session)) == [guest.id]
            await liar.sound(CAMERA)
            await until(liar.gone.is_set, AT_ONCE)
        await eventually(lambda: on_stage(fixtures, session), lambda guests: not guests)
        entries = await ledger(fixtures, session)
        assert [one["action"] for one in entries] == ["taken out of the room", "tracks ended", "tracks ended"]
        assert entries[0]["participant"]["user_id"] == guest.id
        assert entries[0]["observed"].startswith("publishes audio, audio/")
        await jobs.until_segments(key, len(await jobs.segments.of(key)) + 2, within=DEADLINE)
        await jobs.stop(key)
        job = await jobs.until(key, is_over, within=DEADLINE)
        assert read([jobs.file(job)]).beeps == []
    await fixtures.do("end", session)


@pytest.mark.parametrize("source", [MICROPHONE, SCREEN_SOUND])
async def test_a_host_without_a_camera_is_seen_by_nobody(
    fixtures: Fixtures, stack: Stack, source: rtc.TrackSource.ValueType
) -> None:
    preset = await fixtures.preset(host_camera_enabled=False, host_screen_share=True)
    session = await fixtures.live_session(preset=preset)
    async with (
        watching(stack, fixtures, session) as audience,
        joined(stack, fixtures, session, fixtures.host) as liar,
    ):
        honest = await liar.sound(MICROPHONE if source == SCREEN_SOUND else SCREEN_SOUND)
        false = await liar.picture(source)
        await audience.until_gone(false)
        assert honest in audience.published - audience.gone
        (entry,) = await eventually(lambda: ledger(fixtures, session), bool)
        assert entry["observed"].startswith("publishes video, video/")
    await fixtures.do("end", session)
