"""docs/operations/metrics.md: every metric of every service, as the code declares it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

import services.attendance.app
import services.egress.app
import services.gateway.app
import services.recorder.app
import services.relay.app
import services.session.app  # noqa: F401 - importing the services registers what they measure
from shared.runtime.metrics import Durations, LabelledCounter

_PREFIX: Final = "greenroom_"
# Whose metrics begin like this.
_SECTIONS: Final = {
    "Every process": ("http_", "ready", "dependency_", "build_", "event_loop_", "asyncio_"),
    "Databases, RabbitMQ and LiveKit": ("database_", "outbox_", "bus_", "livekit_"),
    "Gateway": ("gateway_",),
    "Session service": ("session", "enforcement_", "reminder_"),
    "Egress service": ("webhook", "drift_", "reconcile_", "stream", "recording"),
    "Attendance service": ("attendance_",),
    "Recorders": ("recorder_",),
    "Relay": ("relay_",),
}
_INTRODUCTION: Final = """# Metrics

Made from the code by `greenroom openapi`: do not edit.

Every process serves these at `/metrics`, and those of Python's own client (`process_…`, `python_…`).
[observability.md](observability.md) says how they are collected and read. A histogram is exported as
`_bucket`, `_sum` and `_count`.
"""


@dataclass(frozen=True)
class DeclaredMetric:
    """`name` as it is exported, a histogram's without its suffixes."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


def declared_metrics() -> list[DeclaredMetric]:
    """Those of all services, by name."""
    return sorted(_declared(), key=lambda metric: metric.name)


def _declared() -> Iterator[DeclaredMetric]:
    # The client library tells families and samples, but labels only of what has samples.
    for collector in list(REGISTRY._collector_to_names):
        if isinstance(collector, Durations):
            yield DeclaredMetric(collector.name, "histogram", collector.labels, collector.documentation)
        elif isinstance(collector, LabelledCounter):
            yield DeclaredMetric(
                f"{collector.name}_total", "counter", collector.labels, collector.documentation
            )
        elif isinstance(collector, MetricWrapperBase) and collector._name.startswith(_PREFIX):
            name = f"{collector._name}_total" if collector._type == "counter" else collector._name
            yield DeclaredMetric(
                name, str(collector._type), tuple(collector._labelnames), collector._documentation
            )


def metrics_document() -> bytes:
    """Raises `ValueError` for a metric that belongs to no section."""
    tables: dict[str, list[str]] = {title: [] for title in _SECTIONS}
    for metric in declared_metrics():
        tables[_section(metric.name)].append(_line(metric))
    head = "| metric | kind | labels | what it is |\n| --- | --- | --- | --- |"
    sections = ["\n".join([f"\n## {title}\n", head, *lines]) + "\n" for title, lines in tables.items()]
    return (_INTRODUCTION + "".join(sections)).encode()


def _section(name: str) -> str:
    area = name.removeprefix(_PREFIX)
    for title, beginnings in _SECTIONS.items():
        if area.startswith(beginnings):
            return title
    raise ValueError(f"{name} belongs to no section of the metrics")


def _line(metric: DeclaredMetric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.meaning} |"
