"""How long to wait before a restart."""

from __future__ import annotations

FIRST_SECONDS, LAST_SECONDS, HEALTHY_SECONDS = 0.25, 30.0, 10.0


class Backoff:
    """A quarter of a second, then double up to 30 s; a life of 10 s starts over."""

    def __init__(self) -> None:
        self._next = FIRST_SECONDS

    def after(self, lived: float) -> float:
        """The seconds to wait after a process that lived this many seconds."""
        if lived >= HEALTHY_SECONDS:
            self._next = FIRST_SECONDS
        delay, self._next = self._next, min(self._next * 2, LAST_SECONDS)
        return delay
