"""The host's camera and microphone: publishes picture and tone into a room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from livekit import rtc

from deploy.demo.host_signal import HEIGHT, RATE, WIDTH, HostPicture, Tone
from deploy.demo.waiting import DEADLINE_SECONDS

FRAMES_PER_SECOND = 15
BITS_PER_SECOND = 800_000
SOUND_MILLISECONDS = 100  # long frames: each costs the SDK a round trip


class MediaPublisher:
    """`now` gives seconds on a steady clock; pictures are stamped with it in milliseconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._camera = rtc.VideoSource(WIDTH, HEIGHT)
        self._microphone = rtc.AudioSource(RATE, 1, queue_size_ms=3 * SOUND_MILLISECONDS)
        self.picture: rtc.Track | None = None
        self._stopping = False
        self._pumps: list[asyncio.Task[None]] = []

    async def start(self, room: rtc.Room) -> None:
        """Publish both tracks, then film and play until `stop`."""
        video = rtc.LocalVideoTrack.create_video_track("picture", self._camera)
        self.picture = video
        audio = rtc.LocalAudioTrack.create_audio_track("tone", self._microphone)
        await room.local_participant.publish_track(video, _camera_options())
        await room.local_participant.publish_track(
            audio, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        )
        self._pumps = [asyncio.create_task(self._film()), asyncio.create_task(self._play())]

    def check(self) -> None:
        """Raises the error that ended filming or playing before `stop`, if any."""
        for pump in self._pumps:
            if pump.done() and not self._stopping:
                pump.result()

    async def stop(self) -> None:
        """Stop both between two frames: the SDK answers each audio frame, which somebody must await."""
        self._stopping = True
        if self._pumps:
            _, stuck = await asyncio.wait(self._pumps, timeout=DEADLINE_SECONDS)
            for pump in stuck:
                pump.cancel()
        await self._camera.aclose()
        await self._microphone.aclose()

    async def _film(self) -> None:
        picture, start, number = HostPicture(), self._now(), 0
        while not self._stopping:
            data = picture.draw(int(self._now() * 1000))
            self._camera.capture_frame(rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.I420, data))
            number += 1
            await asyncio.sleep(start + number / FRAMES_PER_SECOND - self._now())

    async def _play(self) -> None:
        tone, count = Tone(), RATE * SOUND_MILLISECONDS // 1000
        while not self._stopping:
            samples = tone.samples(count)
            await self._microphone.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, count))


def _camera_options() -> rtc.TrackPublishOptions:
    """One layer: simulcast would encode the picture two or three times."""
    return rtc.TrackPublishOptions(
        source=rtc.TrackSource.SOURCE_CAMERA,
        simulcast=False,
        video_codec=rtc.VideoCodec.VP8,
        video_encoding=rtc.VideoEncoding(max_bitrate=BITS_PER_SECOND, max_framerate=FRAMES_PER_SECOND),
    )
