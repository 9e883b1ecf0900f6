"""When media that arrives unevenly was captured."""

_WINDOW = 4.0  # seconds over which the fastest arrival is remembered
_JUMP = 1.0  # seconds by which timestamps may be off before they are those of another source


class Dejitter:
    """Maps timestamps of any clock to ours: as if each frame had been under way as long as the fastest. Pure.

    The fastest of the last seconds, so that a slow drift between the two clocks is followed.
    """

    def __init__(self) -> None:
        self._fastest: float | None = None
        self._candidate: float | None = None
        self._since = 0.0

    def captured_at(self, timestamp: float, arrived: float) -> float:
        """When a frame with this timestamp, which arrived at `arrived`, was captured; all in seconds."""
        delay = arrived - timestamp
        if self._fastest is None or abs(delay - self._fastest) > _JUMP:
            self._fastest, self._candidate, self._since = delay, None, arrived
        elif arrived - self._since > _WINDOW:
            self._fastest = delay if self._candidate is None else min(self._candidate, delay)
            self._candidate, self._since = None, arrived
        else:
            self._fastest = min(self._fastest, delay)
            self._candidate = delay if self._candidate is None else min(self._candidate, delay)
        return timestamp + self._fastest
