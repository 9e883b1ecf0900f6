"""Mixes the audio of a room: each track's audio is added where it belongs on the timeline."""

from threading import Lock

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
CHANNELS = 2
# Seconds of audio that may wait; a reader that was frozen for longer has lost it.
CAPACITY = 4.0

Samples = NDArray[np.int16]
"""Samples by channels."""


class Mixer:
    """A ring buffer of samples. Position 0 is the timeline's start; late audio is dropped."""

    def __init__(self) -> None:
        self._size = int(CAPACITY * RATE)
        self._ring = np.zeros((self._size, CHANNELS), dtype=np.int32)
        self._read_to = 0
        self._lock = Lock()

    def add(self, position: int, samples: Samples) -> None:
        """Add audio that begins at `position`."""
        with self._lock:
            late = max(0, self._read_to - position)
            room = self._read_to + self._size - position
            fitting = samples[late : max(late, room)]
            self._ring[self._indexes(position + late, len(fitting))] += fitting

    def read(self, count: int) -> NDArray[np.float32]:
        """The next `count` samples, channels by samples between -1 and 1; silence if nothing was added."""
        mixed = np.zeros((count, CHANNELS), dtype=np.int32)
        with self._lock:
            indexes = self._indexes(self._read_to, min(count, self._size))
            mixed[: len(indexes)] = self._ring[indexes]
            self._ring[indexes] = 0
            self._read_to += count
        limited = np.clip(mixed, -32_768, 32_767).astype(np.float32)
        return np.ascontiguousarray(limited.T / 32_768)

    def skip_to(self, position: int) -> None:
        """Drop everything before `position`."""
        with self._lock:
            if position > self._read_to:
                self._ring[:] = 0
                self._read_to = position

    def _indexes(self, position: int, count: int) -> NDArray[np.int64]:
        """Where in the ring so many samples from a position are."""
        return np.arange(position, position + count) % self._size
