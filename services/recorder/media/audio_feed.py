"""One track's sound on its way into the mixer: in one piece as long as it comes as it should."""

from __future__ import annotations

from services.recorder.media.mixer import RATE, Mixer, Samples

# Seconds. Sound that is off by less is left where it is: every shift can be heard.
_TOLERANCE = 0.03
# What comes so much later than it should begins anew after a pause, unless the next is right behind it:
# then both waited for us.
_PAUSE = 0.1
# Over so many pieces the fastest is looked for: 2 s, and half a second while the buffers find their size.
_PIECES, _FIRST_PIECES, _FIRST = 40, 10, 160
# Seconds that the first sound may wait until it is known how late it is.
_HELD = 0.3
# Seconds by which sound can be put back and be in time for the mixer still: late is better than never.
_BACK_AT_MOST = 0.4


class AudioFeed:
    """`start` is when the timeline begins on the steady clock.

    `jitter_buffer_delay`: seconds spent in the SDK's jitter buffer; None until it is known.
    """

    def __init__(self, mixer: Mixer, start: float):
        self.jitter_buffer_delay: float | None = None
        self._held: list[tuple[Samples, float]] = []
        self._end = 0
        self._mixer = mixer
        self._start = start
        self._place = AudioPlacement()

    def push(self, samples: Samples, arrived: float) -> None:
        """Sound came whose last sample was taken just now."""
        self._held.append((samples, arrived))
        if self.jitter_buffer_delay is None and arrived - self._held[0][1] < _HELD:
            return
        held, self._held = self._held, []
        for piece, came in held:
            self._put(piece, came - min(self.jitter_buffer_delay or 0.0, _BACK_AT_MOST))

    def _put(self, samples: Samples, taken: float) -> None:
        begin = self._place.begin(len(samples), taken - self._start)
        # After a shift towards the beginning, what would be heard over what came before is left out.
        heard = max(0, self._end - begin)
        self._mixer.add(begin + heard, samples[heard:])
        self._end = max(self._end, begin + len(samples))


class AudioPlacement:
    """Where pieces of one track's sound belong, by when they came. Pure.

    A piece comes when its last sample was taken or later, never sooner: the fastest of many is right.
    """

    def __init__(self) -> None:
        self._next: int | None = None
        self._fastest: int | None = None
        self._pieces = 0
        self._all = 0
        self._late = 0
        self._arrived = 0.0

    def begin(self, count: int, arrived: float) -> int:
        """The position of the first of `count` samples that came at `arrived` seconds."""
        ideal = round(arrived * RATE) - count
        waited = arrived - self._arrived < count / RATE / 2
        begin = ideal if self._next is None else self._next + self._shift(ideal - self._next, waited)
        self._next, self._arrived = begin + count, arrived
        return begin

    def _shift(self, off: int, waited: bool) -> int:
        """By how much to move; `off` is how much later than it should this piece came."""
        self._late = self._late + 1 if off > _PAUSE * RATE and not waited else 0
        if off < -_TOLERANCE * RATE or self._late >= 2:
            return self._moved(off)
        self._fastest = off if self._fastest is None else min(self._fastest, off)
        self._pieces += 1
        self._all += 1
        if self._pieces < (_FIRST_PIECES if self._all <= _FIRST else _PIECES):
            return 0
        return self._moved(self._fastest if self._fastest > _TOLERANCE * RATE else 0)

    def _moved(self, by: int) -> int:
        self._fastest, self._pieces, self._late = None, 0, 0
        return by
