"""What receivers recognize the host's media by: a timestamp in each picture, and a tone.

The timestamp is 32 black and white blocks along the picture's upper edge: 24 bits of milliseconds and a
checksum of 8 bits, so that a blurred picture reads as nothing, not as nonsense. The blocks survive video
compression and scaling, since only their brightness counts.
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
