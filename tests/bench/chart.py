"""The result as a chart: a bar for each row, full if its goal is reached."""

from collections.abc import Sequence
from html import escape
from typing import Any

_WIDTH, _LINE, _LEFT, _BAR = 960, 34, 400, 380
_GOOD, _SHORT, _PLAIN = "#2f7d4f", "#b4572b", "#5b6b7a"


def svg(title: str, rows: Sequence[dict[str, Any]]) -> str:
    """An SVG document; each row is a dict as `Row.as_json` makes it."""
    height = 60 + _LINE * len(rows)
    lines = [_row(number, row) for number, row in enumerate(rows)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="13">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n'
        f'<text x="16" y="26" font-size="16">{escape(title)}</text>\n' + "\n".join(lines) + "\n</svg>\n"
    )


def _row(number: int, row: dict[str, Any]) -> str:
    y = 48 + number * _LINE
    share = _share(row)
    color = _PLAIN if row["reached"] is None else _GOOD if row["reached"] else _SHORT
    bar = f'<rect x="{_LEFT}" y="{y}" width="{_BAR * share:.0f}" height="16" fill="{color}"/>'
    frame = f'<rect x="{_LEFT}" y="{y}" width="{_BAR}" height="16" fill="none" stroke="#c8d0d8"/>'
    what = f'<text x="16" y="{y + 13}">{escape(row["what"])}</text>'
    return what + bar + frame + f'<text x="{_LEFT + _BAR + 10}" y="{y + 13}">{escape(_figure(row))}</text>'


def _share(row: dict[str, Any]) -> float:
    """How much of the goal is reached, 0 to 1."""
    measured = row["ratio"] if row["ratio"] is not None else row["value"]
    if row["goal"] is None or not measured:
        return 1.0
    share = row["goal"] / measured if row["goal_is"] == "at most" else measured / row["goal"]
    return float(max(0.02, min(1.0, share)))


def _figure(row: dict[str, Any]) -> str:
    if row["ratio"] is None:
        return f"{row['value']:g} {row['unit']}"
    return f"{row['ratio']:g} of {row['baseline']:.4g} {row['unit']}"
