"""Somebody with a camera and a microphone: white for 100 ms each second, with a beep at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import numpy as np
from livekit import rtc

from shared.clock import SystemClock
from shared.contracts.states import Role
from shared.ids import new_id
from shared.livekit import JoinGrant, TokenMint
from tests.publishers.clip import FLASH_SECONDS, clip
from tests.publishers.session import LiveSession
from tests.running_stack import RunningStack

RATE = 48_000
PIECE = 480  # samples: 10 ms
HERTZ = 1000
LOUDNESS = 12_000
END_SECONDS = 3.0


class Publisher:
    """Flashes and beeps at each whole second of the steady clock."""

    def __init__(self, name: str, user_id: str, *, size: tuple[int, int] = (640, 360), fps: int = 30):
        self.name = name
        self.identity = f"{user_id}:{new_id()}"
        self.room = rtc.Room()
        self._size, self._fps = size, fps
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._published: dict[str, rtc.LocalTrackPublication] = {}
        self._ending: set[str] = set()

    async def join(self, url: str, token: str) -> None:
        await self.room.connect(url, token)

    async def show(self, *, screen: bool = False) -> None:
        """Publish the camera, or a screen."""
        name = "screen" if screen else "camera"
        source = rtc.EncodedVideoSource(*self._size)
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_SCREENSHARE if screen else rtc.TrackSource.SOURCE_CAMERA,
            simulcast=False,
            video_codec=rtc.VideoCodec.VP8,
            video_encoder=rtc.VideoEncoderBackend.ENCODER_BACKEND_PRE_ENCODED,
        )
        track = rtc.LocalVideoTrack.create_video_track(name, source)
        await self._publish(name, track, options, self._film(name, source))

    async def speak(self) -> None:
        """Publish the microphone. A queue would be emptied more slowly than time passes on a busy machine."""
        source = rtc.AudioSource(RATE, 1, queue_size_ms=0)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        await self._publish("microphone", track, options, self._talk(source))

    def mute(self, name: str, *, on: bool = True) -> None:
        """Mute `camera`, `screen` or `microphone`, or end that."""
        track = self._published[name].track
        assert isinstance(track, (rtc.LocalVideoTrack, rtc.LocalAudioTrack))
        track.mute() if on else track.unmute()

    async def take_back(self, name: str) -> None:
        """Unpublish a track."""
        await self._end(name)
        await self.room.local_participant.unpublish_track(self._published.pop(name).sid)

    async def close(self) -> None:
        for name in list(self._tasks):
            await self._end(name)
        await self.room.disconnect()

    async def _publish(
        self, name: str, track: rtc.LocalTrack, options: rtc.TrackPublishOptions, work: object
    ) -> None:
        self._ending.discard(name)
        self._published[name] = await self.room.local_participant.publish_track(track, options)
        assert asyncio.iscoroutine(work)
        self._tasks[name] = asyncio.create_task(work)

    async def _end(self, name: str) -> None:
        """Between two pieces: the SDK answers each, and would find nobody to answer to."""
        self._ending.add(name)
        task = self._tasks.pop(name)
        await asyncio.wait([task], timeout=END_SECONDS)
        task.cancel()

    async def _film(self, name: str, source: rtc.EncodedVideoSource) -> None:
        width, height = self._size
        pictures = clip(width, height, self._fps)
        number = int(time.monotonic() + 1) * self._fps
        while name not in self._ending:
            due = number / self._fps
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            picture = pictures[number % self._fps]
            kind = (
                rtc.EncodedFrameType.ENCODED_FRAME_KEY
                if picture.key
                else rtc.EncodedFrameType.ENCODED_FRAME_DELTA
            )
            source.capture_frame(
                rtc.EncodedVideoFrame(picture.data, width, height, rtc.VideoCodec.VP8, kind, int(due * 1e6))
            )
            number += 1
        await source.aclose()

    async def _talk(self, source: rtc.AudioSource) -> None:
        """A piece is sent when its last sample would have been taken."""
        wave = (LOUDNESS * np.sin(2 * np.pi * HERTZ * np.arange(RATE) / RATE)).astype(np.int16)
        wave[int(FLASH_SECONDS * RATE) :] = 0
        position = int(time.monotonic() + 1) * RATE
        while "microphone" not in self._ending:
            samples = wave[np.arange(position, position + PIECE) % RATE]
            await asyncio.sleep(max(0.0, (position + PIECE) / RATE - time.monotonic()))
            await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, PIECE))
            position += PIECE
        await source.aclose()


@asynccontextmanager
async def on_stage(running: RunningStack, place: LiveSession, name: str) -> AsyncIterator[Publisher]:
    """Somebody who has joined as the host, and shows nothing yet."""
    publisher = Publisher(name, place.host_id)
    info = running.info
    token = host_token(info.livekit_api_key, info.livekit_api_secret, place.session_id, publisher)
    await publisher.join(info.livekit_url, token)
    try:
        yield publisher
    finally:
        await publisher.close()


def host_token(key: str, secret: str, room: str, publisher: Publisher) -> str:
    mint = TokenMint(key, secret, SystemClock())
    grant = JoinGrant(
        room=room, identity=publisher.identity, name=publisher.name, role=Role.HOST, can_publish=True
    )
    return mint.join_token(grant, lifetime=timedelta(minutes=5))
