"""What a media file or stream holds: ffprobe's answer, and the host's markers in its pictures and sound."""

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

from deploy.demo.host_signal import RATE, WRAP, Samples, is_tone, read_stamp
from deploy.demo.waiting import DEADLINE_SECONDS, DemoFailed

PIECE_SECONDS = 0.1


class ProbedStream(BaseModel):
    codec_type: str
    codec_name: str
    width: int = 0
    height: int = 0


class ProbedFormat(BaseModel):
    """`duration` in seconds; a live stream has none."""

    duration: float = 0.0


class ProbeResult(BaseModel):
    """What ffprobe says of a file or a URL."""

    streams: list[ProbedStream]
    format: ProbedFormat

    def codec(self, kind: str) -> str:
        return next((one.codec_name for one in self.streams if one.codec_type == kind), "none")

    @property
    def picture(self) -> str:
        """Its size, e.g. 1280x720."""
        return next((f"{one.width}x{one.height}" for one in self.streams if one.width), "none")


@dataclass
class DecodedMedia:
    """When each picture with a readable timestamp is shown and when it was drawn, in seconds.

    `tone` says whether the host's tone is heard.
    """

    shown: list[float] = field(default_factory=list)
    drawn: list[float] = field(default_factory=list)
    tone: bool = False

    @property
    def moves(self) -> int:
        """How many pictures were drawn later than the one before."""
        return sum(after > before for before, after in zip(self.drawn, self.drawn[1:], strict=False))

    @property
    def drift(self) -> float:
        """By how many seconds real time runs ahead of the media's time, from its first half to its second.

        Pictures that come late are shown late, so that only the most punctual of each half count.
        """
        ahead = [drawn - shown for drawn, shown in zip(self.drawn, self.shown, strict=True)]
        half = len(ahead) // 2
        return max(ahead[half:]) - max(ahead[:half]) if half else 0.0

    def began(self, near: float) -> float:
        """When its time began, on the clock of the stamps; less than two hours from `near`."""
        if not self.drawn:
            return near
        at = median(drawn - shown for drawn, shown in zip(self.drawn, self.shown, strict=True))
        return near + (at - near + WRAP / 2000) % (WRAP / 1000) - WRAP / 2000


async def probe(source: str) -> ProbeResult:
    """Ask ffprobe about a file or a URL. Raises DemoFailed with what it says."""
    program = shutil.which("ffprobe")
    if program is None:
        raise DemoFailed("ffprobe is missing; `make install` installs it, with ffmpeg")
    options = ("-v", "error", "-of", "json", "-show_format", "-show_streams")
    process = await asyncio.create_subprocess_exec(program, *options, source, stdout=PIPE, stderr=PIPE)
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            answer, errors = await process.communicate()
        return ProbeResult.model_validate(json.loads(answer))
    except TimeoutError as error:
        raise DemoFailed(f"ffprobe has not understood {source} within {DEADLINE_SECONDS:.0f} s") from error
    except (ValidationError, ValueError) as error:
        raise DemoFailed(f"ffprobe does not understand {source}: {errors.decode().strip()}") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def decode(data: bytes) -> DecodedMedia:
    """Decode all of it. Raises DemoFailed if that fails."""
    try:
        return await asyncio.to_thread(_decode, data)
    except av.FFmpegError as error:
        raise DemoFailed(f"the media cannot be media: {error}") from error


def _decode(data: bytes) -> DecodedMedia:
    media = DecodedMedia()
    resampler = av.AudioResampler("s16", "mono", RATE, frame_size=round(RATE * PIECE_SECONDS))
    with av.open(io.BytesIO(data), "r") as container:
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                _read_frame(media, frame)
            elif isinstance(frame, av.AudioFrame) and not media.tone:
                media.tone = any(is_tone(_samples(piece)) for piece in resampler.resample(frame))
    return media


def _samples(piece: av.AudioFrame) -> Samples:
    return piece.to_ndarray().ravel().astype(np.int16)


def _read_frame(media: DecodedMedia, frame: av.VideoFrame) -> None:
    """Timestamps are of the steady clock in milliseconds, and wrap after some hours."""
    plane = frame.planes[0]
    luma = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)
    stamp = read_stamp(luma[: frame.height, : frame.width])
    if stamp is None or frame.time is None:
        return
    media.shown.append(frame.time)
    before = media.drawn[-1] * 1000 if media.drawn else stamp
    media.drawn.append((before + (stamp - before + WRAP / 2) % WRAP - WRAP / 2) / 1000)
