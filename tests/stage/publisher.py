"""Somebody with a camera and a microphone: white for 100 ms each second, with a beep at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import numpy as np
from livekit import rtc

from deploy.local.stack import Stack
from shared.clock import SystemClock
from shared.contracts.states import Role
from shared.ids import new_id
from shared.livekit import JoinGrant, LiveKitApi, TokenMint

RATE = 48_000
PIECE = 480  # samples: 10 ms
FLASH_SECONDS = 0.1
HERTZ = 1000
DARK, BRIGHT = 40, 235
QUEUE_MS = (
    0  # straight to the encoder: a queue is emptied more slowly than time passes where a machine is busy
)


class Publisher:
    """`flash` and `beep` happen at each whole second of the steady clock."""

    def __init__(self, name: str, *, size: tuple[int, int] = (1280, 720), fps: int = 30, sound: bool = True):
        self.name = name
        self.room = rtc.Room()
        self.identity = f"{new_id()}:{new_id()}"
        self.size, self.fps, self.sound = size, fps, sound
        self.simulcast = False
        self.source = rtc.TrackSource.SOURCE_CAMERA
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        self.camera: rtc.LocalTrackPublication | None = None
        self.microphone: rtc.LocalTrackPublication | None = None

    async def join(self, url: str, token: str) -> None:
        await self.room.connect(url, token)

    async def show(self) -> None:
        """Publish the camera."""
        width, height = self.size
        source = rtc.VideoSource(width, height)
        track = rtc.LocalVideoTrack.create_video_track("camera", source)
        options = rtc.TrackPublishOptions(
            source=self.source,
            simulcast=self.simulcast,
            video_codec=rtc.VideoCodec.VP8,
            video_encoding=rtc.VideoEncoding(max_bitrate=2_000_000, max_framerate=self.fps),
        )
        self.camera = await self.room.local_participant.publish_track(track, options)
        self._tasks.append(asyncio.create_task(self._film(source)))

    async def speak(self) -> None:
        """Publish the microphone."""
        source = rtc.AudioSource(RATE, 1, queue_size_ms=QUEUE_MS)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        self.microphone = await self.room.local_participant.publish_track(track, options)
        self._tasks.append(asyncio.create_task(self._talk(source)))

    async def close(self) -> None:
        self._stopping = True
        for task in self._tasks:
            await asyncio.wait([task], timeout=2)
            task.cancel()
        await self.room.disconnect()

    async def _film(self, source: rtc.VideoSource) -> None:
        """Moving grain, so that an encoder has something to do; 40 pictures drawn beforehand."""
        width, height = self.size
        pictures = [_frame(width, height, number) for number in range(10)]
        start, number = time.monotonic(), 0
        while not self._stopping:
            due = start + number / self.fps
            flash = due % 1 < FLASH_SECONDS
            data = pictures[number % 9 + 1] if not flash else pictures[0]
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            frame = rtc.VideoFrame(width, height, rtc.VideoBufferType.I420, data)
            source.capture_frame(frame, timestamp_us=int(due * 1e6))
            number += 1
        await source.aclose()

    async def _talk(self, source: rtc.AudioSource) -> None:
        """Sound is captured as it is made: a piece is sent when its last sample would have been taken."""
        wave = (12_000 * np.sin(2 * np.pi * HERTZ * np.arange(RATE) / RATE)).astype(np.int16)
        start = round(time.monotonic() * RATE)
        position = start
        while not self._stopping:
            at = np.arange(position, position + PIECE)
            samples = np.where(at % RATE < FLASH_SECONDS * RATE, wave[at % RATE], 0).astype(np.int16)
            await asyncio.sleep(max(0.0, (position + PIECE) / RATE - time.monotonic()))
            await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, PIECE))
            position += PIECE
        await source.aclose()


def _frame(width: int, height: int, number: int) -> bytearray:
    """Picture 0 is the flash."""
    frame = np.full(width * height * 3 // 2, 128, dtype=np.uint8)
    luma = frame[: width * height].reshape(height, width)
    if number == 0:
        luma[:] = BRIGHT
    else:
        rows, columns = np.ogrid[:height, :width]
        luma[:] = DARK + (columns // 8 + rows // 8 + number * 3) % 24
        luma[height // 3 : height // 2, number * width // 12 : number * width // 12 + width // 12] = 120
    return bytearray(frame)


@asynccontextmanager
async def a_room(stack: Stack) -> AsyncIterator[str]:
    """An open room of a name like a session's, deleted afterwards."""
    livekit = LiveKitApi(stack.livekit_url, stack.livekit_api_key, stack.livekit_api_secret)
    name = new_id()
    await livekit.create_room(name, empty_timeout=60, departure_timeout=60)
    try:
        yield name
    finally:
        await livekit.delete_room(name)
        await livekit.close()


def token(stack: Stack, room: str, publisher: Publisher, role: Role = Role.HOST) -> str:
    mint = TokenMint(stack.livekit_api_key, stack.livekit_api_secret, SystemClock())
    grant = JoinGrant(
        room=room, identity=publisher.identity, name=publisher.name, role=role, can_publish=True
    )
    return mint.join_token(grant, lifetime=timedelta(minutes=5))
