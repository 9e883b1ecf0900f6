"""One second of somebody's camera, encoded once and sent again and again: publishing it costs little."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import av
import numpy as np

FLASH_SECONDS = 0.1
DARK, BRIGHT = 40, 235


@dataclass(frozen=True)
class Encoded:
    data: bytes
    key: bool


@lru_cache
def clip(width: int, height: int, fps: int, kbps: int = 1500) -> tuple[Encoded, ...]:
    """A second in VP8: white for its first tenth, then grain in motion; the first is a key picture."""
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.time_base, codec.bit_rate = Fraction(1, fps), kbps * 1000
    codec.options = {"deadline": "realtime", "cpu-used": "8", "g": str(fps), "lag-in-frames": "0"}
    packets = []
    for number in range(fps):
        frame = _frame(width, height, None if number / fps < FLASH_SECONDS else number)
        frame.pts = number
        packets += codec.encode(frame)
    packets += codec.encode(None)
    return tuple(Encoded(bytes(packet), packet.is_keyframe) for packet in packets)


def _frame(width: int, height: int, number: int | None) -> av.VideoFrame:
    """The flash where there is no number."""
    frame = np.full((height * 3 // 2, width), 128, dtype=np.uint8)
    luma = frame[:height]
    if number is None:
        luma[:] = BRIGHT
    else:
        rows, columns = np.ogrid[:height, :width]
        luma[:] = DARK + (columns // 8 + rows // 8 + number * 3) % 24
        left = number * width // 40
        luma[height // 3 : height // 2, left : left + width // 12] = 120
    return av.VideoFrame.from_ndarray(frame, format="yuv420p")
