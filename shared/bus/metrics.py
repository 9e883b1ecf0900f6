"""What the bus counts. Label children are looked up once per group and event, not per message."""

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

_PUBLISHED = Counter("greenroom_bus_published_total", "Events confirmed by the broker", ["event"])
_UNROUTED = Counter("greenroom_bus_unrouted_total", "Events confirmed that no group is bound to", ["event"])
_REFUSED = Counter("greenroom_bus_publish_failed_total", "Publishes not confirmed in time", ["reason"])
_HANDLED = Counter("greenroom_bus_handled_total", "Events handled", ["group", "event"])
_RETRIED = Counter("greenroom_bus_retried_total", "Handlings to be tried again", ["group", "reason"])
_DEAD = Counter("greenroom_bus_dead_lettered_total", "Messages given up", ["group"])
_IGNORED = Counter("greenroom_bus_ignored_total", "Events no handler of this release wants", ["group"])
_SECONDS = Histogram(
    "greenroom_bus_handling_seconds",
    "Duration of one handler call",
    ["group"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
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
        self.seconds = _SECONDS.labels(group)
        self.batch = _BATCH.labels(group)
        self.lag = _LAG.labels(group)
        self.dead_letters = _WAITING.labels(group)

    def handled(self, event: str) -> None:
        child = self._handled.get(event)
        if child is None:
            child = self._handled[event] = _HANDLED.labels(self._group, event)
        child.inc()
