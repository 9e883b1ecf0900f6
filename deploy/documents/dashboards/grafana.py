"""Grafana's form of a dashboard: panels in rows, each with its queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, Literal

# Panels reach over these columns.
_COLUMNS: Final = 24
_HEIGHT: Final = 8
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
# Installations that share a Prometheus differ by namespace; without any, the label is not there.
_NAMESPACES: Final = "label_values(greenroom_build_info, namespace)"

Json = dict[str, Any]


@dataclass(frozen=True)
class PanelQuery:
    """`legend` names each line, with labels as `{{label}}`."""

    expr: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """`unit` is Grafana's: short, s, reqps, ops, bytes, percentunit. `stat` shows the last number alone."""

    title: str
    unit: str
    queries: Sequence[PanelQuery]
    description: str = ""
    kind: Literal["timeseries", "stat"] = "timeseries"
    stacked: bool = False

    def json(self, number: int, position: Json) -> Json:
        custom: Json = {"fillOpacity": 10, "showPoints": "never"}
        if self.stacked:
            custom = {**custom, "fillOpacity": 30, "stacking": {"mode": "normal", "group": "A"}}
        options: Json = {"legend": {"displayMode": "table", "placement": "bottom", "calcs": ["mean", "max"]}}
        if self.kind == "stat":
            custom, options = {}, {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value"}
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": _SOURCE,
            "gridPos": position,
            "fieldConfig": {"defaults": {"unit": self.unit, "min": 0, "custom": custom}, "overrides": []},
            "options": options
            | ({} if self.kind == "stat" else {"tooltip": {"mode": "multi", "sort": "desc"}}),
            "targets": [
                {
                    "refId": chr(ord("A") + place),
                    "datasource": _SOURCE,
                    "expr": one.expr,
                    "legendFormat": one.legend,
                }
                for place, one in enumerate(self.queries)
            ],
        }


@dataclass(frozen=True)
class PanelRow:
    """Panels beside each other, under a title."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Dashboard:
    name: str
    title: str
    description: str
    rows: Sequence[PanelRow]

    def json(self) -> Json:
        """The dashboard as a file that Grafana provisions or imports."""
        return {
            "uid": f"greenroom-{self.name}",
            "title": f"Greenroom / {self.title}",
            "description": self.description,
            "tags": ["greenroom"],
            "schemaVersion": 39,
            "editable": True,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": "now-1h", "to": "now"},
            "templating": {"list": [_datasource(), _namespace()]},
            "links": [
                {"type": "dashboards", "tags": ["greenroom"], "asDropdown": True, "title": "Greenroom"}
            ],
            "panels": list(_placed(self.rows)),
        }


def _placed(rows: Sequence[PanelRow]) -> Iterator[Json]:
    numbers, top = count(1), 0
    for row in rows:
        position = {"x": 0, "y": top, "w": _COLUMNS, "h": 1}
        yield {
            "id": next(numbers),
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": position,
        }
        top += 1
        width = _COLUMNS // min(3, len(row.panels))
        per_line = _COLUMNS // width
        for place, panel in enumerate(row.panels):
            line, column = divmod(place, per_line)
            position = {"x": column * width, "y": top + line * _HEIGHT, "w": width, "h": _HEIGHT}
            yield panel.json(next(numbers), position)
        top += _HEIGHT * -(-len(row.panels) // per_line)


def _datasource() -> Json:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _namespace() -> Json:
    return {
        "name": "namespace",
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": _NAMESPACES, "refId": "namespace"},
        "definition": _NAMESPACES,
        "refresh": 2,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }
