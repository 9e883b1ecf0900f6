"""How long a stored MP4 plays, by its own header."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from services.egress.recordings.mp4 import Mp4Header
from shared.files.storage import Storage

KEY = "recordings/one.mp4"


def film(folder: Path, pictures: int, **options: str) -> bytes:
    """A real MP4 of so many pictures at 30 a second."""
    file = folder / "one.mp4"
    with av.open(str(file), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.time_base = 64, 48, Fraction(1, 30)
        for n in range(pictures):
            frame = av.VideoFrame.from_ndarray(np.zeros((72, 64), np.uint8), "yuv420p")
            frame.pts = n
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.read_bytes()


async def seconds(content: bytes) -> float | None:
    storage = Storage.from_url("memory:")
    await storage.put(KEY, content)
    return await Mp4Header(storage, KEY, len(content)).seconds()


@pytest.mark.parametrize("options", [{}, {"movflags": "faststart"}])
async def test_the_header_tells_wherever_it_is(tmp_path: Path, options: dict[str, str]) -> None:
    assert await seconds(film(tmp_path, 353, **options)) == pytest.approx(353 / 30, abs=0.05)


async def test_one_with_64_bit_lengths_and_times() -> None:
    movie = struct.pack(">4s16xIQ", b"\x01\0\0\0", 1000, 14_400_250)
    inner = struct.pack(">I4s", 8 + len(movie), b"mvhd") + movie
    large = struct.pack(">I4sQ", 1, b"mdat", 16 + 5) + b"....."
    assert await seconds(large + struct.pack(">I4s", 8 + len(inner), b"moov") + inner) == 14_400.25


async def test_one_that_was_never_finished_has_no_length(tmp_path: Path) -> None:
    assert await seconds(film(tmp_path, 30)[:-40]) is None


@pytest.mark.parametrize("content", [b"", b"moov", b"\0\0\0\x08moov", b"\xff" * 64, b"\0\0\0\0mdat.."])
async def test_what_is_no_mp4_has_no_length(content: bytes) -> None:
    assert await seconds(content) is None
