"""The queries that dashboards are made of. Each selects the namespace that is chosen above the dashboard.

`where` are further matchers as PromQL has them, such as `job="gateway"`; `by` are the labels that remain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

RATE: Final = "$__rate_interval"
_NAMESPACE: Final = 'namespace=~"$namespace"'


def selected(metric: str, *where: str) -> str:
    return f"{metric}{{{', '.join([_NAMESPACE, *(one for one in where if one)])}}}"


def rate(metric: str, *where: str, by: Sequence[str] = ()) -> str:
    """How often a second, of all replicas together."""
    return f"sum{_by(by)} (rate({selected(metric, *where)}[{RATE}]))"


def total(metric: str, *where: str, by: Sequence[str] = ()) -> str:
    """The gauges of all replicas, added up."""
    return f"sum{_by(by)} ({selected(metric, *where)})"


def largest(metric: str, *where: str, by: Sequence[str] = ()) -> str:
    """Of a gauge that every replica reports of all."""
    return f"max{_by(by)} ({selected(metric, *where)})"


def quantile(share: float, histogram: str, *where: str, by: Sequence[str] = ()) -> str:
    buckets = rate(f"{histogram}_bucket", *where, by=(*by, "le"))
    return f"histogram_quantile({share}, {buckets})"


def ratio(part: str, whole: str) -> str:
    """Of two numbers without labels; nothing if there is nothing to be a part of."""
    return f"({part} or vector(0)) / ({whole} > 0)"


def top(most: int, query: str) -> str:
    return f"topk({most}, {query})"


def _by(labels: Sequence[str]) -> str:
    return f" by ({', '.join(labels)})" if labels else ""
