"""The time, injected: services ask a Clock, tests turn its hands."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The current UTC time, whole milliseconds (what MongoDB keeps)."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return milliseconds(datetime.now(UTC))


def milliseconds(moment: datetime) -> datetime:
    """`moment` in UTC cut to whole milliseconds, so that stored and returned times are equal."""
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


def from_unix_ms(value: int) -> datetime:
    """The UTC time of `value` milliseconds since 1970."""
    return milliseconds(datetime.fromtimestamp(value / 1000, UTC))


def from_unix_ns(value: int) -> datetime | None:
    """The same of nanoseconds, in which LiveKit tells many of its times; None for 0, its "never"."""
    return from_unix_ms(value // 1_000_000) if value > 0 else None
