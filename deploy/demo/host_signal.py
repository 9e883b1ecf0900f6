"""The host's moving picture and tone, and how receivers recognize them.

The picture has colour bars, a bouncing ball, a clock for people, and a timestamp for machines: 32 black and
white blocks along its upper edge hold 24 bits of milliseconds and a checksum of 8 bits, so that a blurred
picture reads as nothing, not as nonsense. The blocks survive video compression and scaling, since only their
brightness counts.

Frames are I420: brightness at full size, then the two colour planes at half width and height.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
"""The brightness of a picture: height x width bytes."""
Samples = NDArray[np.int16]

BLOCKS = 32
HEIGHT_SHARE = 20  # the strip is a twentieth of the picture's height
SMALLEST = 4  # pixels of a block: WebRTC ends a track with a black picture of next to no size
BLACK, WHITE, MIDDLE = 16, 235, 128
WRAP = 1 << 24

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

RATE = 48_000
HERTZ = 440.0
LOUDNESS = 0.25 * 32_767
SILENCE = 300.0
TOLERANCE_HERTZ = 25.0


def write_stamp(luma: Luma, milliseconds: int) -> None:
    """Paint the time over the upper edge."""
    value = milliseconds % WRAP
    raw = np.frombuffer(value.to_bytes(3, "big") + bytes([_checksum(value)]), dtype=np.uint8)
    row = np.where(np.unpackbits(raw) == 1, WHITE, BLACK).astype(np.uint8)
    height, width = luma.shape
    luma[: height // HEIGHT_SHARE] = np.repeat(row, width // BLOCKS)


def read_stamp(luma: Luma) -> int | None:
    """The milliseconds that the picture carries, or None if they cannot be read for sure."""
    height, width = luma.shape
    strip, block = height // HEIGHT_SHARE, width // BLOCKS
    if strip < SMALLEST or block < SMALLEST:
        return None
    # The middle of each block: its edges bleed into the neighbours.
    blocks = luma[:strip, : block * BLOCKS].reshape(strip, BLOCKS, block)
    inner = blocks[strip // 4 : strip - strip // 4, :, block // 4 : block - block // 4]
    raw = np.packbits(inner.mean(axis=(0, 2)) > MIDDLE).tobytes()
    value = int.from_bytes(raw[:3], "big")
    return value if raw[3] == _checksum(value) else None


def _checksum(value: int) -> int:
    """Not zero for zero: a black picture carries no time."""
    return ((value * 0x9E3779B1) >> 12 ^ 0xA5) & 0xFF


class Tone:
    """An endless sine of `HERTZ` at `RATE` samples a second."""

    def __init__(self) -> None:
        self._position = 0

    def samples(self, count: int) -> Samples:
        """The next samples, in phase with the last."""
        at = np.arange(self._position, self._position + count)
        self._position += count
        return (LOUDNESS * np.sin(2 * np.pi * HERTZ * at / RATE)).astype(np.int16)


def is_tone(samples: Samples) -> bool:
    """Whether this is our tone: loud enough, and strongest at its frequency. Takes 50 ms or more."""
    if samples.size < RATE // 20:
        return False
    wave = samples.astype(np.float64)
    if np.sqrt(np.mean(wave**2)) < SILENCE:
        return False
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(wave.size)))
    strongest = float(np.argmax(spectrum)) * RATE / wave.size
    return abs(strongest - HERTZ) < TOLERANCE_HERTZ


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
