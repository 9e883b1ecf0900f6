"""The host's moving picture: colour bars, a bouncing ball, a clock for people, and a timestamp for machines.

Frames are I420: brightness at full size, then the two colour planes at half width and height.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deploy.demo.markers import WHITE, Luma, write_stamp

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
# Digits of 3 by 5 dots.
DOTS = {
    "0": "111101101101111",
    "1": "010110010010111",
    "2": "111001111100111",
    "3": "111001111001111",
    "4": "101101111001001",
    "5": "111100111001111",
    "6": "111100111101111",
    "7": "111001001001001",
    "8": "111101111101111",
    "9": "111101111001111",
    ":": "000010000010000",
    ".": "000000000000010",
}
GLYPHS = {sign: np.array([int(dot) for dot in dots], dtype=bool).reshape(5, 3) for sign, dots in DOTS.items()}
GAP = np.zeros((5, 1), dtype=bool)


class HostPicture:
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
        _write_text(luma, clock_text(milliseconds), top=270, left=48, dot=12, ink=WHITE)
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
    """The position of something that runs to and fro between 0 and `length`."""
    return length - abs(way % (2 * length) - length)


def _colour_bars() -> NDArray[np.uint8]:
    def plane(values: list[int], height: int, width: int) -> NDArray[np.uint8]:
        bars = np.array(values, dtype=np.uint8)[np.arange(width) * len(values) // width]
        return np.tile(bars, (height, 1)).ravel()

    luma, blue, red = (list(values) for values in zip(*BARS, strict=True))
    half = HEIGHT // 2, WIDTH // 2
    return np.concatenate([plane(luma, HEIGHT, WIDTH), plane(blue, *half), plane(red, *half)])


def _write_text(luma: Luma, text: str, *, top: int, left: int, dot: int, ink: int) -> None:
    """Paint digits, `:` and `.` with dots of `dot` pixels and brightness `ink`."""
    columns = [part for sign in text for part in (GLYPHS[sign], GAP)]
    mask = np.repeat(np.repeat(np.hstack(columns), dot, axis=0), dot, axis=1)
    area = luma[top : top + mask.shape[0], left : left + mask.shape[1]]
    area[mask[: area.shape[0], : area.shape[1]]] = ink
