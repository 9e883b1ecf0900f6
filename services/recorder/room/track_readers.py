"""Reading tracks: every picture and piece of sound goes into its feed as it comes."""

from __future__ import annotations

import asyncio
import time

import numpy as np
from livekit import rtc

from services.recorder.media.audio_feed import AudioFeed
from services.recorder.media.i420 import I420Frame
from services.recorder.media.mixer import CHANNELS, RATE
from services.recorder.media.video_feed import VideoFeed

# Each piece of sound costs the SDK a round trip, and waits until it is complete.
_PIECE_MILLISECONDS = 50
_CLOSE_SECONDS = 5.0
_QUARTERS: dict[object, int] = {
    rtc.VideoRotation.VIDEO_ROTATION_0: 0,
    rtc.VideoRotation.VIDEO_ROTATION_90: 1,
    rtc.VideoRotation.VIDEO_ROTATION_180: 2,
    rtc.VideoRotation.VIDEO_ROTATION_270: 3,
}


async def read_video(track: rtc.Track, feed: VideoFeed) -> None:
    """Until cancelled: the SDK does not tell that a track has ended."""
    stream = rtc.VideoStream(track, capacity=4, format=rtc.VideoBufferType.I420)
    try:
        async for event in stream:
            frame = event.frame
            picture = I420Frame.of(frame.data, frame.width, frame.height).turned(
                _QUARTERS.get(event.rotation, 0)
            )
            feed.push(picture, event.timestamp_us / 1e6, time.monotonic())
    finally:
        await _closed(stream)


async def read_audio(track: rtc.Track, feed: AudioFeed) -> None:
    """Until the track ends."""
    stream = rtc.AudioStream(
        track, sample_rate=RATE, num_channels=CHANNELS, frame_size_ms=_PIECE_MILLISECONDS
    )
    try:
        async for event in stream:
            samples = np.frombuffer(event.frame.data, dtype=np.int16).reshape(-1, CHANNELS)
            feed.push(samples, time.monotonic())
    finally:
        await _closed(stream)


async def _closed(stream: rtc.VideoStream | rtc.AudioStream) -> None:
    async with asyncio.timeout(_CLOSE_SECONDS):
        await stream.aclose()
