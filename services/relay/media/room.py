"""The encoder as a participant of a room, by LiveKit's SDK: a track is there while it has something."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from livekit import rtc

from services.relay.media.picture import MAX_RATE, EncodedPicture
from services.relay.media.sound import CHANNELS, PIECE, RATE

_SOUND_BITS = 128_000
_RETRY_SECONDS = 0.5
_LEAVE_SECONDS = 2.0
# No call to the SDK takes so long, unless LiveKit is gone.
_CALL_SECONDS = 10.0

_Result = TypeVar("_Result")


class Publication(Protocol):
    """Where an encoder's media goes. False: it was not taken."""

    def show(self, picture: EncodedPicture, *, publish: bool) -> bool:
        """`publish` a track if there is none, which waits for the event loop: never so on that itself."""
        ...

    def play(self, pieces: list[bytes]) -> bool: ...


class RoomPublication:
    """`ended` is set once we are no longer in the room. To be made on the event loop that runs it."""

    def __init__(self, video_kbps: int):
        self.ended = asyncio.Event()
        self._video_bits = video_kbps * 1000
        self._loop = asyncio.get_running_loop()
        self._room: rtc.Room | None = None
        self._tracks: dict[str, str] = {}
        self._picture: rtc.EncodedVideoSource | None = None
        self._sound: rtc.AudioSource | None = None

    async def join(self, url: str, token: str) -> None:
        """Try until it works: the room opens a moment after the encoder began."""
        while self._room is None:
            room = rtc.Room()
            try:
                await room.connect(url, token, rtc.RoomOptions(auto_subscribe=False))
            except rtc.ConnectError:
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                room.on("disconnected", lambda *_: self.ended.set())
                self._room = room

    async def leave(self) -> None:
        """So that everybody sees at once that we are gone."""
        if self._room is not None:
            # LiveKit may be gone itself.
            with suppress(TimeoutError):
                async with asyncio.timeout(_LEAVE_SECONDS):
                    await self._room.disconnect()

    def show(self, picture: EncodedPicture, *, publish: bool) -> bool:
        source = self._picture
        if self._room is None or (source is None and not publish):
            return False
        source = source or self._wait(self._publish_picture(picture.width, picture.height))
        kinds = rtc.EncodedFrameType
        return source.capture_frame(
            rtc.EncodedVideoFrame(
                data=picture.data,
                width=picture.width,
                height=picture.height,
                codec=rtc.VideoCodec.H264,
                frame_type=kinds.ENCODED_FRAME_KEY if picture.key else kinds.ENCODED_FRAME_DELTA,
                timestamp_us=round(picture.captured_at * 1e6),
            )
        )

    def play(self, pieces: list[bytes]) -> bool:
        if self._room is None:
            return False
        self._wait(self._play(pieces))
        return True

    def feedback(self) -> rtc.EncodedVideoSourceFeedback | None:
        """What LiveKit has asked for since the last call; None without a picture."""
        return self._picture.take_feedback() if self._picture is not None else None

    async def withdraw_picture(self) -> None:
        """Take the track back; the next picture is the first of another."""
        source, self._picture = self._picture, None
        if source is not None:
            await self._unpublish("picture")
            await source.aclose()

    async def withdraw_sound(self) -> None:
        """Take the track back; the next sound is the first of another."""
        source, self._sound = self._sound, None
        if source is not None:
            await self._unpublish("sound")
            await source.aclose()

    async def _publish_picture(self, width: int, height: int) -> rtc.EncodedVideoSource:
        source = rtc.EncodedVideoSource(width, height)
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_CAMERA,
            simulcast=False,
            video_codec=rtc.VideoCodec.H264,
            video_encoder=rtc.VideoEncoderBackend.ENCODER_BACKEND_PRE_ENCODED,
        )
        options.video_encoding.max_bitrate = self._video_bits
        options.video_encoding.max_framerate = MAX_RATE
        await self._publish("picture", rtc.LocalVideoTrack.create_video_track("picture", source), options)
        self._picture = source
        return source

    async def _play(self, pieces: list[bytes]) -> None:
        if self._sound is None:
            # Without a queue: one would be emptied more slowly than time passes on a busy machine.
            source = rtc.AudioSource(RATE, CHANNELS, queue_size_ms=0)
            options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False, red=False)
            options.audio_encoding.max_bitrate = _SOUND_BITS
            await self._publish("sound", rtc.LocalAudioTrack.create_audio_track("sound", source), options)
            self._sound = source
        for piece in pieces:
            await self._sound.capture_frame(rtc.AudioFrame(piece, RATE, CHANNELS, PIECE))

    async def _publish(self, name: str, track: rtc.LocalTrack, options: rtc.TrackPublishOptions) -> None:
        if self._room is None:
            raise RuntimeError("a track is published in a room that was joined")
        self._tracks[name] = (await self._room.local_participant.publish_track(track, options)).sid

    async def _unpublish(self, name: str) -> None:
        if self._room is not None:
            await self._room.local_participant.unpublish_track(self._tracks.pop(name))

    def _wait(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Have the event loop do it, from another thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CALL_SECONDS)
