"""The time, injected: services ask a Clock, tests set it."""

from datetime import UTC, datetime
from typing import Final, Protocol

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


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
    """The UTC time of `value` nanoseconds since 1970, LiveKit's unit; None for 0, its "never"."""
    return from_unix_ms(value // 1_000_000) if value > 0 else None


def to_unix_ns(moment: datetime) -> int:
    """Nanoseconds since 1970, exactly: a float is not precise enough."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
