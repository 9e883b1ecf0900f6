"""The metrics that every service has; served in Prometheus text form at /metrics.

What is counted for every request is kept in plain numbers and rendered when it is asked for: the
client library's own counting takes a lock and costs ten times as much.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

REFUSALS = Counter("greenroom_http_refusals_total", "Refused calls, by code", ["code"])


class LabelledCounter(Collector):
    """Counts by one label, to be counted on the event loop's thread only; registered once made."""

    def __init__(self, name: str, documentation: str, label: str, values: Sequence[str]):
        self._name, self._documentation, self._label = name, documentation, label
        self.counts = dict.fromkeys(values, 0)
        REGISTRY.register(self)

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self._name, self._documentation, labels=[self._label])
        for value, count in self.counts.items():
            family.add_metric([value], count)
        yield family


class RequestTimes(Collector):
    """How long answers took, by operation and status; observed on the event loop's thread only."""

    buckets = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

    def __init__(self) -> None:
        # The calls in each bucket, the last beyond all; and the sum of their seconds.
        self._calls: dict[tuple[str, int], list[int]] = {}
        self._sums: dict[tuple[str, int], float] = {}

    def observe(self, operation: str, status: int, seconds: float) -> None:
        key = operation, status
        calls = self._calls.get(key)
        if calls is None:
            calls = self._calls[key] = [0] * (len(self.buckets) + 1)
            self._sums[key] = 0.0
        calls[bisect_left(self.buckets, seconds)] += 1
        self._sums[key] += seconds

    def collect(self) -> Iterable[Metric]:
        name = "greenroom_http_request_seconds"
        documentation = "Time to answer, by operation and status"
        family = HistogramMetricFamily(name, documentation, labels=["operation", "status"])
        bounds = [*map(floatToGoString, self.buckets), "+Inf"]
        for (operation, status), calls in self._calls.items():
            cumulated = list(zip(bounds, map(float, accumulate(calls)), strict=True))
            family.add_metric([operation, str(status)], cumulated, self._sums[operation, status])
        yield family


_times = RequestTimes()
REGISTRY.register(_times)
observe_request = _times.observe


def exposition() -> tuple[bytes, str]:
    """All metrics of the process, and their content type."""
    return generate_latest(), CONTENT_TYPE_LATEST
