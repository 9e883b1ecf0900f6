"""Reading subscribed tracks into their feeds, and requesting them in the quality in which they are shown."""

import asyncio
import time
from collections.abc import Iterable

import numpy as np
from livekit import rtc

from services.recorder.media.audio import CHANNELS, RATE, AudioFeed
from services.recorder.media.frames import I420Frame
from services.recorder.media.video_feed import VideoFeed
from shared.livekit import TrackSource, fits_source

# Each frame of audio costs the SDK a round trip, and waits until it is complete.
_AUDIO_FRAME_MILLISECONDS = 50
_CLOSE_SECONDS = 5.0
_QUARTER_TURNS: dict[object, int] = {
    rtc.VideoRotation.VIDEO_ROTATION_0: 0,
    rtc.VideoRotation.VIDEO_ROTATION_90: 1,
    rtc.VideoRotation.VIDEO_ROTATION_180: 2,
    rtc.VideoRotation.VIDEO_ROTATION_270: 3,
}

_SOURCES: dict[object, TrackSource] = {
    rtc.TrackSource.SOURCE_CAMERA: TrackSource.CAMERA,
    rtc.TrackSource.SOURCE_MICROPHONE: TrackSource.MICROPHONE,
    rtc.TrackSource.SOURCE_SCREENSHARE: TrackSource.SCREEN_SHARE,
    rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO: TrackSource.SCREEN_SHARE_AUDIO,
}
_TYPES: dict[object, str] = {rtc.TrackKind.KIND_AUDIO: "audio", rtc.TrackKind.KIND_VIDEO: "video"}


def is_what_it_says(publication: rtc.RemoteTrackPublication) -> bool:
    """Whether a track carries what its source says; only then has LiveKit checked that it may."""
    source = _SOURCES.get(publication.source, "unknown")
    return fits_source(source, [_TYPES.get(publication.kind, ""), publication.mime_type])


def subscribe(participants: Iterable[rtc.RemoteParticipant]) -> None:
    """Have what they publish sent to us, but for false tracks.

    Those are not received at all: a receiver of video that is sent sound crashes the SDK.
    """
    for participant in participants:
        for publication in participant.track_publications.values():
            if not publication.subscribed and is_what_it_says(publication):
                publication.set_subscribed(True)


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
