"""What is kept of a run: soak.json, and the picture soak.svg."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tests.machine_info import in_one_line
from tests.soak.judge import thinned
from tests.soak.run import MEASURES, Plan, Result

UNITS = {"memory": "MB", "descriptors": "", "tasks": ""}
WIDTH, LEFT, CELL, GRAPH, HEIGHT, LINE = 1160, 110, 340, 210, 46, 64
FLAT, GROWN = "#2f7d4f", "#b4572b"


def keep(folder: Path, where: dict[str, str], plan: Plan, result: Result) -> None:
    """Write both; `where` is the machine as it is described."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "soak.json").write_text(json.dumps(as_json(where, plan, result), indent=2) + "\n")
    minutes = f"{result.seconds / 60:.0f} minutes, {plan.rate:g} requests/s and {plan.size.hosts} hosts"
    (folder / "soak.svg").write_text(svg(f"Greenroom for {minutes}, {in_one_line(where)}", result))


def as_json(where: dict[str, str], plan: Plan, result: Result) -> dict[str, Any]:
    return {
        "measured_at": datetime.fromtimestamp(result.began, UTC).isoformat(timespec="seconds"),
        **where,
        "seconds": round(result.seconds),
        "not_judged_seconds": plan.warm_up,
        "load": {"requests_per_second": plan.rate, **asdict(plan.size)},
        "calls": dict(sorted(result.calls.items())),
        "requests_left_out": result.left_out,
        "sessions_with_media": len(result.media),
        "dead_letters": result.dead_letters,
        "faults": result.faults,
        "processes": {
            name: {measure: _rounded(asdict(trend)) for measure, trend in measures.items()}
            | {"resident_mb": result.samples[name][-1].rss}
            for name, measures in result.trends.items()
        },
    }


def _rounded(trend: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in trend.items()}


def show(console: Console, result: Result) -> None:
    table = Table(title="Growth while it was judged (allowed)", title_justify="left", box=SIMPLE_HEAD)
    for heading in ("process", *MEASURES):
        table.add_column(heading, no_wrap=True)
    for name, measures in result.trends.items():
        table.add_row(name, *(f"{t.first:g} {t.growth:+.1f} ({t.allowed:.1f})" for t in measures.values()))
    console.print(table)
    console.print(", ".join(f"{many} {what}" for what, many in sorted(result.calls.items())))
    console.print(f"dead letters: {result.dead_letters}; sessions with media: {result.media}")
    for fault in result.faults:
        console.print(f"✗ {fault}", style="red", markup=False)
    if not result.faults:
        console.print("✓ everything is flat")


def svg(title: str, result: Result) -> str:
    """A small graph for each process and measure, from zero up."""
    height = 50 + LINE * len(result.trends)
    parts = [part for row, name in enumerate(result.trends) for part in _row(result, name, 50 + row * LINE)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
        f'<text x="16" y="24" font-size="16">{escape(title)}</text>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _row(result: Result, name: str, y: int) -> Iterator[str]:
    yield f'<text x="16" y="{y + HEIGHT / 2}">{escape(name)}</text>'
    for column, (measure, value) in enumerate(MEASURES.items()):
        trend = result.trends[name][measure]
        points = thinned([(one.at, value(one)) for one in result.samples[name]])
        x, color = LEFT + column * CELL, FLAT if trend.flat else GROWN
        right, top = points[-1][0] or 1.0, max(trend.highest, 1.0)
        drawn = " ".join(
            f"{x + at / right * GRAPH:.1f},{y + HEIGHT * (1 - v / top):.1f}" for at, v in points if v <= top
        )
        yield f'<line x1="{x}" y1="{y + HEIGHT}" x2="{x + GRAPH}" y2="{y + HEIGHT}" stroke="#c8d0d8"/>'
        yield f'<polyline points="{drawn}" fill="none" stroke="{color}" stroke-width="1.5"/>'
        said = f"{measure} {trend.last:g} {UNITS[measure]}".strip()
        yield f'<text x="{x + GRAPH + 8}" y="{y + 20}">{said}</text>'
        yield f'<text x="{x + GRAPH + 8}" y="{y + 38}" fill="{color}">{trend.growth:+.1f}</text>'
