"""The host's tone, and how to know it again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

RATE = 48_000
HERTZ = 440.0
LOUDNESS = 0.25 * 32_767
SILENCE = 300.0
TOLERANCE_HERTZ = 25.0


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
