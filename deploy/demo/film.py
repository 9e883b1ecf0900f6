"""What a piece of film holds: ffprobe's word on it, and what its pictures and its sound show."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
from asyncio.subprocess import PIPE
from dataclasses import dataclass, field
from statistics import median

import av
import numpy as np
from pydantic import BaseModel, ValidationError

from deploy.demo.errors import DemoFailed
from deploy.demo.stamp import WRAP, read_stamp
from deploy.demo.tone import RATE, Samples, is_tone

PROBE_SECONDS = 30.0
PIECE_SECONDS = 0.1


class Track(BaseModel):
    codec_type: str
    codec_name: str
    width: int = 0
    height: int = 0


class Format(BaseModel):
    """`duration` in seconds; a live stream has none."""

    duration: float = 0.0


class Probed(BaseModel):
    """What ffprobe says of a file or an address."""

    streams: list[Track]
    format: Format

    def codec(self, kind: str) -> str:
        return next((one.codec_name for one in self.streams if one.codec_type == kind), "none")

    @property
    def picture(self) -> str:
        """Its size, e.g. 1280x720."""
        return next((f"{one.width}x{one.height}" for one in self.streams if one.width), "none")


@dataclass
class Film:
    """Of each picture whose stamp can be read: when the film shows it, and when it was drawn, in seconds.

    `tone` tells whether the host's tone is heard.
    """

    shown: list[float] = field(default_factory=list)
    drawn: list[float] = field(default_factory=list)
    tone: bool = False

    @property
    def moves(self) -> int:
        """How many pictures were drawn later than the one before."""
        return sum(after > before for before, after in zip(self.drawn, self.drawn[1:], strict=False))

    @property
    def seconds(self) -> float:
        """How much real time passed between the first and the last picture."""
        return self.drawn[-1] - self.drawn[0] if self.drawn else 0.0

    def began(self, near: float) -> float:
        """When its time began, on the clock of the stamps; less than two hours from `near`."""
        if not self.drawn:
            return near
        at = median(drawn - shown for drawn, shown in zip(self.drawn, self.shown, strict=True))
        return near + (at - near + WRAP / 2000) % (WRAP / 1000) - WRAP / 2000

    @property
    def length(self) -> float:
        """How much of its own time it takes to show them."""
        return self.shown[-1] - self.shown[0] if self.shown else 0.0


async def probe(source: str) -> Probed:
    """Ask ffprobe about a file or an address. Raises DemoFailed with what it says."""
    program = shutil.which("ffprobe")
    if program is None:
        raise DemoFailed("ffprobe is missing; `make install` installs it, with ffmpeg")
    options = ("-v", "error", "-of", "json", "-show_format", "-show_streams")
    process = await asyncio.create_subprocess_exec(program, *options, source, stdout=PIPE, stderr=PIPE)
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            told, errors = await process.communicate()
        return Probed.model_validate(json.loads(told))
    except TimeoutError as error:
        raise DemoFailed(f"ffprobe has not understood {source} within {PROBE_SECONDS:.0f} s") from error
    except (ValidationError, ValueError) as error:
        raise DemoFailed(f"ffprobe does not understand {source}: {errors.decode().strip()}") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def see(data: bytes) -> Film:
    """Look at all of it. Raises DemoFailed where it cannot be decoded."""
    try:
        return await asyncio.to_thread(_see, data)
    except av.FFmpegError as error:
        raise DemoFailed(f"what came cannot be decoded: {error}") from error


def _see(data: bytes) -> Film:
    film = Film()
    resampler = av.AudioResampler("s16", "mono", RATE, frame_size=round(RATE * PIECE_SECONDS))
    with av.open(io.BytesIO(data), "r") as container:
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                _look(film, frame)
            elif isinstance(frame, av.AudioFrame) and not film.tone:
                film.tone = any(is_tone(_samples(piece)) for piece in resampler.resample(frame))
    return film


def _samples(piece: av.AudioFrame) -> Samples:
    return piece.to_ndarray().ravel().astype(np.int16)


def _look(film: Film, frame: av.VideoFrame) -> None:
    """Stamps are of the steady clock in milliseconds, and begin anew after some hours."""
    plane = frame.planes[0]
    luma = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)
    stamp = read_stamp(luma[: frame.height, : frame.width])
    if stamp is None or frame.time is None:
        return
    film.shown.append(frame.time)
    before = film.drawn[-1] * 1000 if film.drawn else stamp
    film.drawn.append((before + (stamp - before + WRAP / 2) % WRAP - WRAP / 2) / 1000)
