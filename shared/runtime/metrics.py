"""The metrics that every service has; served in Prometheus text form at /metrics.

What is counted for every request, query and event is kept in plain numbers and rendered when it is asked
for: the client library's own counting takes a lock and costs ten times as much.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from itertools import accumulate
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    Counter,
    Gauge,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

# When each counter was made: a quarter of the lines, which nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call]

REFUSALS = Counter("greenroom_http_refusals_total", "Refused calls, by code", ["code"])
_BUILD = Gauge(
    "greenroom_build_info", "Which service this is, and its version; always 1", ["service", "version"]
)


def _count_tasks() -> int:
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:  # asked for outside of an event loop
        return 0


Gauge("greenroom_asyncio_tasks", "Tasks of the event loop").set_function(_count_tasks)


class LabelledCounter(Collector):
    """Counts by one label, to be counted on the event loop's thread only; registered once made.

    Each value is there from the start: to Prometheus a sample that begins with 1 has not increased.
    `name` comes without `_total`.
    """

    def __init__(self, name: str, documentation: str, label: str, values: Iterable[str]):
        self.name, self.documentation, self.labels = name, documentation, (label,)
        self.counts = dict.fromkeys(values, 0)
        REGISTRY.register(self)

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self.name, self.documentation, labels=self.labels)
        for value, count in self.counts.items():
            family.add_metric([value], count)
        yield family


FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Durations(Collector):
    """A histogram of seconds by labels; observed on the event loop's thread only, registered once made."""

    def __init__(self, name: str, documentation: str, labels: Sequence[str], buckets: Sequence[float] = FAST):
        self.name, self.documentation, self.labels = name, documentation, tuple(labels)
        self._buckets = buckets
        # By the labels' values: how often in each bucket, the last beyond all; and the sum of the seconds.
        self._counts: dict[tuple[str | int, ...], list[int]] = {}
        self._sums: dict[tuple[str | int, ...], float] = {}
        REGISTRY.register(self)

    def observe(self, values: tuple[str | int, ...], seconds: float) -> None:
        """`values` are those of the labels, in their order."""
        counts = self._counts.get(values)
        if counts is None:
            counts = self._counts[values] = [0] * (len(self._buckets) + 1)
            self._sums[values] = 0.0
        counts[bisect_left(self._buckets, seconds)] += 1
        self._sums[values] += seconds

    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(self.name, self.documentation, labels=self.labels)
        bounds = [*map(floatToGoString, self._buckets), "+Inf"]
        for values, counts in self._counts.items():
            cumulated = list(zip(bounds, map(float, accumulate(counts)), strict=True))
            family.add_metric([str(value) for value in values], cumulated, self._sums[values])
        yield family


_requests = Durations(
    "greenroom_http_request_seconds", "Time to answer, by operation and status", ("operation", "status")
)


def observe_request(operation: str, status: int, seconds: float) -> None:
    _requests.observe((operation, status), seconds)


def report_build(service: str) -> None:
    """Have the metrics say which service this process is."""
    _BUILD.labels(service, version("greenroom")).set(1)


def exposition() -> tuple[bytes, str]:
    """All metrics of the process, and their content type."""
    return generate_latest(), CONTENT_TYPE_LATEST
