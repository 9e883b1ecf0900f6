"""The time at which something was taken, from its own timestamps and from when it came. Pure."""

from __future__ import annotations

_WINDOW = 4.0  # seconds over which the fastest arrival is remembered
_JUMP = 1.0  # seconds by which timestamps may be off before they are those of another source


class Dejitter:
    """Timestamps of any clock, put on ours: as if each had been on its way for as long as the fastest.

    The fastest of the last seconds, so that a slow drift between the two clocks is followed.
    """

    def __init__(self) -> None:
        self._fastest: float | None = None
        self._candidate: float | None = None
        self._since = 0.0

    def place(self, stamp: float, arrived: float) -> float:
        """When what carries `stamp` and came at `arrived` was taken; both and the answer in seconds."""
        delay = arrived - stamp
        if self._fastest is None or abs(delay - self._fastest) > _JUMP:
            self._fastest, self._candidate, self._since = delay, None, arrived
        elif arrived - self._since > _WINDOW:
            self._fastest = delay if self._candidate is None else min(self._candidate, delay)
            self._candidate, self._since = None, arrived
        else:
            self._fastest = min(self._fastest, delay)
            self._candidate = delay if self._candidate is None else min(self._candidate, delay)
        return stamp + self._fastest
