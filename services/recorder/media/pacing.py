"""When each frame is due: by the clock alone, so that nothing drifts. Pure."""

from dataclasses import dataclass

# Seconds behind the clock: beyond the first a frame repeats the last one, beyond the second it is skipped.
REPEAT_BEHIND = 0.4
SKIP_BEHIND = 1.0
# A process that was frozen for so long has lost audio, too: a new part begins.
BREAK_BEHIND = 2.5


@dataclass(frozen=True)
class Tick:
    """What to do now: wait for so many seconds, or render frame `number`, drawn again or as the last one.

    `skipped` is how many frames before it are left out; `interrupted`, whether a new part begins.
    """

    wait: float = 0.0
    number: int = 0
    redraw: bool = True
    skipped: int = 0
    interrupted: bool = False


class Pacer:
    """Frame `n` is due `n / rate` seconds after `start` on a steady clock."""

    def __init__(self, start: float, rate: int):
        self._start = start
        self._rate = rate
        self._next = 0

    def next(self, now: float) -> Tick:
        """The next thing to do; a frame that it names counts as rendered."""
        behind = now - self._start - self._next / self._rate
        if behind < 0:
            return Tick(wait=-behind)
        skipped = int(behind * self._rate) if behind > SKIP_BEHIND else 0
        number = self._next + skipped
        self._next = number + 1
        redraw = bool(skipped) or behind <= REPEAT_BEHIND
        return Tick(number=number, redraw=redraw, skipped=skipped, interrupted=behind > BREAK_BEHIND)
