"""How often and how long the bus tries again."""

from dataclasses import dataclass

from shared.runtime.backoff import Backoff

_ORDERED_BACKOFF = Backoff(0.2, 5.0)
# Capped well below the 5 s within which work goes on once what was away is back.
_UNAVAILABLE_BACKOFF = Backoff(0.1, 1.0)


@dataclass(frozen=True)
class RetryPolicy:
    """All times in seconds.

    lanes            delays of an unordered group's failed event, then it is dead-lettered
    ordered_attempts how often a batch is handled before its poison is looked for
    hold             how long `Unavailable` may keep a message unacknowledged: well below RabbitMQ's
                     consumer timeout of 30 min
    handler_timeout  a handler that takes longer has failed
    stop_deadline    how long `stop_consuming` waits for handlers in hand
    """

    lanes: tuple[float, ...] = (1.0, 5.0, 30.0)
    ordered_attempts: int = 4
    ordered_backoff: Backoff = _ORDERED_BACKOFF
    unavailable_backoff: Backoff = _UNAVAILABLE_BACKOFF
    hold: float = 600.0
    handler_timeout: float = 60.0
    stop_deadline: float = 10.0

    def __post_init__(self) -> None:
        if not self.lanes:
            raise ValueError("a retry policy needs at least one lane")
