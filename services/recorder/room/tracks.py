"""Reading subscribed tracks into their feeds, and requesting them in the quality in which they are shown."""

import asyncio
import time

import numpy as np
from livekit import rtc

from services.recorder.media.audio_feed import AudioFeed
from services.recorder.media.frames import I420Frame
from services.recorder.media.mixer import CHANNELS, RATE
from services.recorder.media.video_feed import VideoFeed

# Each frame of audio costs the SDK a round trip, and waits until it is complete.
_AUDIO_FRAME_MILLISECONDS = 50
_CLOSE_SECONDS = 5.0
_QUARTER_TURNS: dict[object, int] = {
    rtc.VideoRotation.VIDEO_ROTATION_0: 0,
    rtc.VideoRotation.VIDEO_ROTATION_90: 1,
    rtc.VideoRotation.VIDEO_ROTATION_180: 2,
    rtc.VideoRotation.VIDEO_ROTATION_270: 3,
}


async def read_video(track: rtc.Track, feed: VideoFeed) -> None:
    """Until cancelled: the SDK does not report that a track has ended."""
    stream = rtc.VideoStream(track, capacity=4, format=rtc.VideoBufferType.I420)
    try:
        async for event in stream:
            buffer, turns = event.frame, _QUARTER_TURNS.get(event.rotation, 0)
            frame = I420Frame.of(buffer.data, buffer.width, buffer.height).rotated(turns)
            feed.push(frame, event.timestamp_us / 1e6, time.monotonic())
    finally:
        await _close(stream)


async def read_audio(track: rtc.Track, feed: AudioFeed) -> None:
    """Until the track ends."""
    stream = rtc.AudioStream(
        track, sample_rate=RATE, num_channels=CHANNELS, frame_size_ms=_AUDIO_FRAME_MILLISECONDS
    )
    try:
        async for event in stream:
            samples = np.frombuffer(event.frame.data, dtype=np.int16).reshape(-1, CHANNELS)
            feed.push(samples, time.monotonic())
    finally:
        await _close(stream)


async def _close(stream: rtc.VideoStream | rtc.AudioStream) -> None:
    async with asyncio.timeout(_CLOSE_SECONDS):
        await stream.aclose()


class QualityRequests:
    """Requests simulcast layers; remembers the last request for each track, so that only changes are sent."""

    def __init__(self) -> None:
        self._requested: dict[str, rtc.VideoQuality.ValueType] = {}

    def request(self, publication: rtc.RemoteTrackPublication, shown_width: int) -> None:
        """Request the layer for a video shown at this width in pixels; 0 if it is not shown."""
        if not publication.simulcasted or not publication.width:
            return
        quality = _layer(shown_width, publication.width)
        if self._requested.get(publication.sid) != quality:
            self._requested[publication.sid] = quality
            publication.set_video_quality(quality)


def _layer(shown: int, sent: int) -> rtc.VideoQuality.ValueType:
    """The smallest of the sender's layers (all, a half, a quarter of its width) that need not be enlarged."""
    if shown * 4 <= sent:
        return rtc.VideoQuality.VIDEO_QUALITY_LOW
    if shown * 2 <= sent:
        return rtc.VideoQuality.VIDEO_QUALITY_MEDIUM
    return rtc.VideoQuality.VIDEO_QUALITY_HIGH
