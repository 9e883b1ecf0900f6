"""The host's moving picture: colour bars, a ball on its way, a clock, and the same clock for machines.

Frames are I420: brightness at full size, then the two colour planes at half width and height.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deploy.demo.digits import write_text
from deploy.demo.stamp import WHITE, Luma, write_stamp

WIDTH, HEIGHT = 640, 360
PIXELS = WIDTH * HEIGHT
RADIUS = 28
PIXELS_PER_SECOND = 160
# Brightness and the two colours (BT.601) of white, yellow, cyan, green, magenta, red and blue at 75 %.
BARS = (
    (180, 128, 128),
    (162, 44, 142),
    (131, 156, 44),
    (112, 72, 58),
    (84, 184, 198),
    (65, 100, 212),
    (35, 212, 114),
)


class Picture:
    """Draws one frame for each moment."""

    def __init__(self) -> None:
        self._backdrop = _colour_bars()
        rows, columns = np.ogrid[-RADIUS:RADIUS, -RADIUS:RADIUS]
        self._disc = rows**2 + columns**2 < RADIUS**2

    def draw(self, milliseconds: int) -> bytearray:
        """The I420 frame of `WIDTH` by `HEIGHT` that belongs to this time."""
        frame = self._backdrop.copy()
        luma = frame[:PIXELS].reshape(HEIGHT, WIDTH)
        self._ball(luma, milliseconds)
        write_text(luma, clock_text(milliseconds), top=270, left=48, dot=12, ink=WHITE)
        write_stamp(luma, milliseconds)
        return bytearray(frame)

    def _ball(self, luma: Luma, milliseconds: int) -> None:
        way = milliseconds * PIXELS_PER_SECOND // 1000
        left = bounce(way, WIDTH - 2 * RADIUS)
        top = 40 + bounce(way * 2 // 3, 150)
        luma[top : top + 2 * RADIUS, left : left + 2 * RADIUS][self._disc] = WHITE


def clock_text(milliseconds: int) -> str:
    """Minutes, seconds and tenths: `mm:ss.t`."""
    tenths = milliseconds // 100
    return f"{tenths // 600 % 100:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def bounce(way: int, length: int) -> int:
    """Where something is that runs to and fro between 0 and `length`."""
    return length - abs(way % (2 * length) - length)


def _colour_bars() -> NDArray[np.uint8]:
    def plane(values: list[int], height: int, width: int) -> NDArray[np.uint8]:
        bars = np.array(values, dtype=np.uint8)[np.arange(width) * len(values) // width]
        return np.tile(bars, (height, 1)).ravel()

    luma, blue, red = (list(values) for values in zip(*BARS, strict=True))
    half = HEIGHT // 2, WIDTH // 2
    return np.concatenate([plane(luma, HEIGHT, WIDTH), plane(blue, *half), plane(red, *half)])
