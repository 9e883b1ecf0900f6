"""When which picture is due: by the clock alone, so that nothing drifts. Pure."""

from __future__ import annotations

from dataclasses import dataclass

# Seconds behind the clock: beyond the first a picture is the last one again, beyond the second left out.
REPEAT_BEHIND = 0.4
SKIP_BEHIND = 1.0
# Who was frozen for so long has lost sound, too: what follows is a new part.
BREAK_BEHIND = 2.5


@dataclass(frozen=True)
class Tick:
    """What to do now: wait for so many seconds, or make picture `number`, drawn anew or as the last one.

    `lost` is how many pictures before it are left out; `broken`, whether what follows is a new part.
    """

    wait: float = 0.0
    number: int = 0
    drawn: bool = True
    lost: int = 0
    broken: bool = False


class Pacer:
    """Frame `n` is due `n / rate` seconds after `start` on a steady clock."""

    def __init__(self, start: float, rate: int):
        self._start = start
        self._rate = rate
        self._next = 0

    def turn(self, now: float) -> Tick:
        """The next thing to do; a picture that it names is made then."""
        behind = now - self._start - self._next / self._rate
        if behind < 0:
            return Tick(wait=-behind)
        lost = int(behind * self._rate) if behind > SKIP_BEHIND else 0
        number = self._next + lost
        self._next = number + 1
        drawn = bool(lost) or behind <= REPEAT_BEHIND
        return Tick(number=number, drawn=drawn, lost=lost, broken=behind > BREAK_BEHIND)
