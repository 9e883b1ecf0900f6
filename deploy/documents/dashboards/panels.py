"""The panels that dashboards are made of, each with the query that its kind of metric needs.

`where` are matchers as PromQL has them, such as `job="gateway"`; lines are named by the labels in `by`, a
single one like the panel.
`most` keeps the so many largest lines, `about` explains the panel.
"""

from __future__ import annotations

from collections.abc import Sequence

from deploy.documents.dashboards.grafana import Panel, PanelQuery
from deploy.documents.dashboards.queries import largest, quantile, rate, selected, top, total


def rates(
    title: str,
    metric: str,
    *where: str,
    by: Sequence[str] = (),
    unit: str = "ops",
    most: int | None = None,
    stacked: bool = False,
    about: str = "",
) -> Panel:
    """A counter: how often a second, over all replicas."""
    query = rate(metric, *where, by=by)
    return Panel(
        title, unit, [PanelQuery(_limited(query, most), _legend(by) or title)], about, stacked=stacked
    )


def p95(
    title: str,
    histogram: str,
    *where: str,
    by: Sequence[str] = (),
    unit: str = "s",
    most: int | None = None,
    about: str = "",
) -> Panel:
    """A histogram by labels: what 95 of 100 remain below."""
    query = quantile(0.95, histogram, *where, by=by)
    return Panel(title, unit, [PanelQuery(_limited(query, most), _legend(by) or "p95")], about)


def times(title: str, histogram: str, *where: str, about: str = "") -> Panel:
    """A histogram of seconds: what half, and 95 of 100, remain below."""
    queries = [PanelQuery(quantile(share, histogram, *where), f"p{share * 100:g}") for share in (0.5, 0.95)]
    return Panel(title, "s", queries, about)


def level(
    title: str, metric: str, *where: str, by: Sequence[str] = (), unit: str = "short", about: str = ""
) -> Panel:
    """A gauge that every replica reports of all: the largest."""
    return Panel(title, unit, [PanelQuery(largest(metric, *where, by=by), _legend(by) or title)], about)


def sums(title: str, *metrics: tuple[str, str], about: str = "") -> Panel:
    """Gauges that every replica reports of its own, added up; each comes with its name."""
    return Panel(title, "short", [PanelQuery(total(metric), name) for metric, name in metrics], about)


def each(title: str, metric: str, *where: str, unit: str = "short", about: str = "") -> Panel:
    """A gauge of every replica."""
    return Panel(title, unit, [PanelQuery(selected(metric, *where), "{{instance}}")], about)


def _limited(query: str, most: int | None) -> str:
    return query if most is None else top(most, query)


def _legend(by: Sequence[str]) -> str:
    return " ".join(f"{{{{{label}}}}}" for label in by)
