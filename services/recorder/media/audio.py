"""The audio of a room: each track's feed puts it where it belongs on the timeline, the mixer adds all."""

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
            for ring, part in self._parts(position + late, len(fitting)):
                self._ring[ring] += fitting[part]

    def read(self, count: int) -> NDArray[np.float32]:
        """The next `count` samples, channels by samples between -1 and 1; silence if nothing was added."""
        mixed = np.zeros((count, CHANNELS), dtype=np.int32)
        with self._lock:
            for ring, part in self._parts(self._read_to, min(count, self._size)):
                mixed[part] = self._ring[ring]
                self._ring[ring] = 0
            self._read_to += count
        limited = np.clip(mixed, -32_768, 32_767).astype(np.float32)
        return np.ascontiguousarray(limited.T / 32_768)

    def skip_to(self, position: int) -> None:
        """Drop everything before `position`."""
        with self._lock:
            if position > self._read_to:
                self._ring[:] = 0
                self._read_to = position

    def _parts(self, position: int, count: int) -> tuple[tuple[slice, slice], ...]:
        """Where in the ring so many samples are, and which of them: in one part, or two around its end."""
        start = position % self._size
        first = min(count, self._size - start)
        return (slice(start, start + first), slice(0, first)), (slice(0, count - first), slice(first, count))


# Seconds. Audio that is off by less is left where it is: every shift can be heard.
_TOLERANCE = 0.03
# Audio that is so much later than it should be begins again after a pause, if the next is, too. What is right
# behind another does not count: both waited for us.
_PAUSE = 0.1
# Over so many frames the fastest is looked for: 2 s, and half a second while the buffers find their size.
_FRAMES, _FIRST_FRAMES, _FIRST = 40, 10, 160
# Seconds that the first audio may wait until its delay in the jitter buffer is known.
_MAX_HOLD = 0.3
# Seconds by which audio can be put back and still be in time for the mixer: late is better than never.
_MAX_PUT_BACK = 0.4


class AudioFeed:
    """One track's audio on its way into the mixer: continuous as long as it arrives as it should.

    `start` is when the timeline begins on the steady clock.

    `jitter_buffer_delay`: seconds spent in the SDK's jitter buffer; None until it is known.
    """

    def __init__(self, mixer: Mixer, start: float):
        self.jitter_buffer_delay: float | None = None
        self._held: list[tuple[Samples, float]] = []
        self._end = 0
        self._mixer = mixer
        self._start = start
        self._placement = AudioPlacement()

    def push(self, samples: Samples, arrived: float) -> None:
        """Audio arrived whose last sample was captured just now."""
        self._held.append((samples, arrived))
        if self.jitter_buffer_delay is None and arrived - self._held[0][1] < _MAX_HOLD:
            return
        held, self._held = self._held, []
        for frame, came in held:
            self._put(frame, came - min(self.jitter_buffer_delay or 0.0, _MAX_PUT_BACK))

    def _put(self, samples: Samples, captured_at: float) -> None:
        begin = self._placement.begin(len(samples), captured_at - self._start)
        # After a shift towards the beginning, audio that would overlap what came before is left out.
        overlap = max(0, self._end - begin)
        self._mixer.add(begin + overlap, samples[overlap:])
        self._end = max(self._end, begin + len(samples))


class AudioPlacement:
    """Where frames of one track's audio belong, by when they arrived. Pure.

    A frame arrives when its last sample was captured or later, never sooner: the fastest of many is right.
    """

    def __init__(self) -> None:
        self._next: int | None = None
        self._fastest: int | None = None
        self._frames = 0
        self._all = 0
        self._late = 0
        self._arrived = 0.0

    def begin(self, count: int, arrived: float) -> int:
        """The position of the first of `count` samples that arrived at `arrived` seconds."""
        ideal = round(arrived * RATE) - count
        waited = arrived - self._arrived < count / RATE / 2
        begin = ideal if self._next is None else self._next + self._shift(ideal - self._next, waited)
        self._next, self._arrived = begin + count, arrived
        return begin

    def _shift(self, off: int, waited: bool) -> int:
        """By how much to move; `off` is how much later than it should this frame arrived."""
        if off <= _PAUSE * RATE:
            self._late = 0
        elif not waited:
            self._late += 1
        if off < -_TOLERANCE * RATE or self._late >= 2:
            self._late = 0
            return self._move(off)
        self._fastest = off if self._fastest is None else min(self._fastest, off)
        self._frames += 1
        self._all += 1
        if self._frames < (_FIRST_FRAMES if self._all <= _FIRST else _FRAMES):
            return 0
        return self._move(self._fastest if self._fastest > _TOLERANCE * RATE else 0)

    def _move(self, by: int) -> int:
        self._fastest, self._frames = None, 0
        return by
