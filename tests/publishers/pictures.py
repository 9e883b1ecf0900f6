"""Somebody who shows still pictures of any shape, which tell by their corners what was cut off or turned."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import NamedTuple, Protocol

import av
import numpy as np
from livekit import rtc
from numpy.typing import NDArray

from tests.publishers.publisher import LOUDNESS, PIECE, RATE, Publisher

FPS = 10
DARK, BRIGHT = 30, 225
NEAR = 14
"""By how much a brightness may be off after two encodings."""
SMEARED = 8
"""How far in pixels an edge reaches after two encodings."""

Luma = NDArray[np.int16]


class Area(NamedTuple):
    """A part of a picture in pixels."""

    left: int
    top: int
    width: int
    height: int

    def of(self, picture: Luma) -> Luma:
        return picture[self.top : self.top + self.height, self.left : self.left + self.width]


class PicturePublisher(Publisher):
    """Each of its videos has a brightness of its own; the first corner is dark, the others are bright."""

    async def show_picture(
        self, name: str, size: tuple[int, int], luma: int, *, screen: bool = False, turned: int = 0
    ) -> None:
        """`turned`: as by a phone, whose frames are to be turned by so many right angles."""
        upright = _marked(*size, luma)
        sent = np.ascontiguousarray(np.rot90(upright, turned))
        source = rtc.VideoSource(sent.shape[1], sent.shape[0], is_screencast=screen)
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_SCREENSHARE if screen else rtc.TrackSource.SOURCE_CAMERA,
            simulcast=False,
        )
        track = rtc.LocalVideoTrack.create_video_track(name, source)
        await self._publish(name, track, options, self._repeat(name, source, _frame(sent), turned))

    async def sound_of_screen(self, name: str, hertz: int) -> None:
        """A tone, as what plays on a shared screen."""
        await self._sound(name, hertz, rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO)

    async def say(self, name: str, hertz: int) -> None:
        """A tone by the microphone, the only source by which LiveKit finds who speaks."""
        await self._sound(name, hertz, rtc.TrackSource.SOURCE_MICROPHONE)

    async def _sound(self, name: str, hertz: int, by: rtc.TrackSource.ValueType) -> None:
        source = rtc.AudioSource(RATE, 1, queue_size_ms=0)
        track = rtc.LocalAudioTrack.create_audio_track(name, source)
        options = rtc.TrackPublishOptions(source=by, dtx=False)
        await self._publish(name, track, options, self._hum(name, source, hertz))

    async def _repeat(self, name: str, source: rtc.VideoSource, frame: rtc.VideoFrame, turned: int) -> None:
        rotation = rtc.VideoRotation.ValueType(turned)
        while name not in self._ending:
            source.capture_frame(frame, rotation=rotation)
            await asyncio.sleep(1 / FPS)
        await source.aclose()

    async def _hum(self, name: str, source: rtc.AudioSource, hertz: int) -> None:
        position, loop = 0, asyncio.get_running_loop()
        began = loop.time()
        while name not in self._ending:
            phase = 2 * np.pi * hertz * np.arange(position, position + PIECE) / RATE
            samples = (LOUDNESS / 2 * np.sin(phase)).astype(np.int16)
            await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, PIECE))
            position += PIECE
            await asyncio.sleep(max(0.0, began + position / RATE - loop.time()))
        await source.aclose()


def _marked(width: int, height: int, luma: int) -> NDArray[np.uint8]:
    picture = np.full((height, width), luma, dtype=np.uint8)
    mark = min(width, height) // 8
    for rows in (slice(0, mark), slice(-mark, None)):
        for columns in (slice(0, mark), slice(-mark, None)):
            picture[rows, columns] = BRIGHT
    picture[:mark, :mark] = DARK
    return picture


def _frame(luma: NDArray[np.uint8]) -> rtc.VideoFrame:
    height, width = luma.shape
    grey = np.full(width * height // 2, 128, dtype=np.uint8)
    return rtc.VideoFrame(width, height, rtc.VideoBufferType.I420, luma.tobytes() + grey.tobytes())


def last_picture(segment: Path | BytesIO) -> Luma:
    """The brightness of the last frame."""
    with av.open(segment, "r", format="mpegts") as container:
        frame = list(container.decode(video=0))[-1]
    plane = frame.planes[0]
    flat = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)
    return flat[: frame.height, : frame.width].astype(np.int16)


class Part(Protocol):
    """What is to be seen in a part of a picture: `seen` of it should be near `wanted`."""

    @property
    def wanted(self) -> list[int]: ...

    def seen(self, picture: Luma) -> list[int]: ...


@dataclass(frozen=True)
class Whole:
    """A video of this brightness with all its corners, upright, and nothing beside."""

    area: Area
    luma: int

    @property
    def wanted(self) -> list[int]:
        return [DARK, BRIGHT, BRIGHT, BRIGHT, self.luma]

    def seen(self, picture: Luma) -> list[int]:
        """Row by row the four corners, then the middle."""
        inset, area = min(self.area.width, self.area.height) // 16, self.area.of(picture)
        spots = [(row, column) for row in (inset, -1 - inset) for column in (inset, -1 - inset)]
        return [int(area[spot]) for spot in (*spots, (self.area.height // 2, self.area.width // 2))]


@dataclass(frozen=True)
class Filled:
    """A video of this brightness that fills the area, its corners cut off; a name may be at the bottom."""

    area: Area
    luma: int

    @property
    def wanted(self) -> list[int]:
        return [self.luma, self.luma]

    def seen(self, picture: Luma) -> list[int]:
        """The darkest and the brightest spot, apart from the edge, which encoders mix with what is beside."""
        inner = self.area.of(picture)[SMEARED : self.area.height * 3 // 4, SMEARED:-SMEARED]
        return [int(inner.min()), int(inner.max())]


def as_wanted(seen: Mapping[Part, list[int]]) -> bool:
    """Whether what is seen of each part is near enough to what should be."""
    return all(
        abs(one - other) <= NEAR
        for part, values in seen.items()
        for one, other in zip(values, part.wanted, strict=True)
    )


def tones(segment: Path) -> set[int]:
    """Frequencies that are heard, to the next 100 Hz."""
    with av.open(str(segment)) as container:
        wave = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    loud = np.abs(np.fft.rfft(wave)) / len(wave)
    peaks = np.flatnonzero(loud > loud.max() / 4) * RATE / len(wave)
    return {round(peak / 100) * 100 for peak in peaks}
