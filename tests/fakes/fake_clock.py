"""A clock that tests set."""

from datetime import UTC, datetime, timedelta

from shared.clock import milliseconds


class FakeClock:
    def __init__(self, start: datetime = datetime(2030, 1, 1, 12, tzinfo=UTC)):
        self._now = milliseconds(start)

    def now(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> datetime:
        """Move on by `timedelta(**by)` and return the new time."""
        self._now = milliseconds(self._now + timedelta(**by))
        return self._now
