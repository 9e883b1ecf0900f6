"""How often and how long the bus tries again."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Backoff:
    """Delays that double from `first` to `most` seconds, each cut by up to half at random."""

    first: float
    most: float
    random: Callable[[], float] = field(default=random.random, compare=False)

    def delay(self, attempt: int) -> float:
        """Seconds to wait after failure number `attempt`, counted from 0."""
        full = min(self.most, self.first * 2.0 ** min(attempt, 30))
        return full * (0.5 + 0.5 * self.random())

    @staticmethod
    def is_news(attempt: int) -> bool:
        """Whether failure number `attempt` deserves a line in the log: the 1st, 2nd, 4th, 8th and so on."""
        return (attempt + 1).bit_count() == 1


@dataclass(frozen=True)
class RetryPolicy:
    """All times in seconds.

    lanes            delays of an unordered group's failed event, then it is dead-lettered
    ordered_attempts how often a batch is handled before its poison is looked for
    unavailable_backoff  capped well below the 5 s within which work goes on once what was away is back
    hold             how long `Unavailable` may keep a message unacknowledged: well below RabbitMQ's
                     consumer timeout of 30 min
    handler_timeout  a handler that takes longer has failed
    stop_deadline    how long `stop_consuming` waits for handlers in hand
    """

    lanes: tuple[float, ...] = (1.0, 5.0, 30.0)
    ordered_attempts: int = 4
    ordered_backoff: Backoff = Backoff(0.2, 5.0)
    unavailable_backoff: Backoff = Backoff(0.1, 1.0)
    hold: float = 600.0
    handler_timeout: float = 60.0
    stop_deadline: float = 10.0

    def __post_init__(self) -> None:
        if not self.lanes:
            raise ValueError("a retry policy needs at least one lane")
