"""What the bus counts. Label children are looked up once per group and event, not per message.

An event's name is one of this release's, or `several` for a batch of different ones.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from itertools import count

from prometheus_client import Counter, Gauge, Histogram

from shared.bus.codec import read_time
from shared.contracts.event import Envelope
from shared.runtime.metrics import Durations

_PUBLISHED = Counter("greenroom_bus_published_total", "Events confirmed by the broker", ["event"])
_UNROUTED = Counter("greenroom_bus_unrouted_total", "Events confirmed that no group is bound to", ["event"])
_REFUSED = Counter("greenroom_bus_publish_failed_total", "Publishes not confirmed in time", ["reason"])
_HANDLED = Counter("greenroom_bus_handled_total", "Events handled", ["group", "event"])
_RETRIED = Counter("greenroom_bus_retried_total", "Handlings to be tried again", ["group", "reason"])
_DEAD = Counter("greenroom_bus_dead_lettered_total", "Messages given up", ["group"])
_IGNORED = Counter("greenroom_bus_ignored_total", "Events no handler of this release wants", ["group"])
_REDELIVERED = Counter(
    "greenroom_bus_redelivered_total", "Messages delivered again, since they were not acknowledged", ["group"]
)
_SECONDS = Durations(
    "greenroom_bus_handling_seconds",
    "Time of one handler call, by outcome: ok, failed, or unavailable (called again in place)",
    ("group", "event", "outcome"),
    (0.0025, 0.01, 0.05, 0.25, 1, 5, 30),
)
_BATCH = Histogram(
    "greenroom_bus_batch_size", "Events in one batch", ["group"], buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500)
)
_LAG = Histogram(
    "greenroom_bus_lag_seconds",
    "From the event's time to the end of its handling",
    ["group"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
)
_WAITING = Gauge("greenroom_bus_dead_letters", "Messages in the dead-letter queue", ["group"])
_READY = Gauge(
    "greenroom_bus_queue_messages", "Messages in the group's queues that no consumer has yet", ["group"]
)
_OLDEST = Gauge(
    "greenroom_bus_oldest_unacknowledged_seconds",
    "Age of the oldest event that this consumer was given and has not settled",
    ["group"],
)


@cache
def published(event: str) -> Counter:
    return _PUBLISHED.labels(event)


@cache
def unrouted(event: str) -> Counter:
    return _UNROUTED.labels(event)


@cache
def refused(reason: str) -> Counter:
    return _REFUSED.labels(reason)


class GroupMetrics:
    """The metrics of one group."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._handled: dict[str, Counter] = {}
        self.failed = _RETRIED.labels(group, "failed")
        self.unavailable = _RETRIED.labels(group, "unavailable")
        self.dead = _DEAD.labels(group)
        self.ignored = _IGNORED.labels(group)
        self.redelivered = _REDELIVERED.labels(group)
        self.batch = _BATCH.labels(group)
        self.lag = _LAG.labels(group)
        self.dead_letters = _WAITING.labels(group)
        self.ready = _READY.labels(group)
        # The times of the events in hand, as their headers say them.
        self._in_hand: dict[int, object] = {}
        self._numbers = count()
        _OLDEST.labels(group).set_function(self._oldest_age)

    @contextmanager
    def in_hand(self, event_time: object) -> Iterator[None]:
        """While a message is not settled; `event_time` is its header."""
        number = next(self._numbers)
        self._in_hand[number] = event_time
        try:
            yield
        finally:
            del self._in_hand[number]

    def _oldest_age(self) -> float:
        times = [time for header in self._in_hand.values() if (time := read_time(header)) is not None]
        return (datetime.now(UTC) - min(times)).total_seconds() if times else 0.0

    def called(self, event: str, outcome: str, seconds: float) -> None:
        """A handler returned, or raised."""
        _SECONDS.observe((self._group, event, outcome), seconds)

    def handled(self, event: str) -> None:
        child = self._handled.get(event)
        if child is None:
            child = self._handled[event] = _HANDLED.labels(self._group, event)
        child.inc()


def name_of(envelopes: Sequence[Envelope]) -> str:
    """The event of a batch, if it is always the same."""
    names = {envelope.event.name for envelope in envelopes}
    return names.pop() if len(names) == 1 else "several"
