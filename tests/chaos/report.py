"""What is kept of a run, and what is shown at its end."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.chaos.picture import svg
from tests.chaos.run import Plan, Result, summary

SHOWN = 30


def keep(folder: Path, plan: Plan, result: Result) -> None:
    """Write chaos.json and chaos.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    (folder / "chaos.json").write_text(json.dumps(as_json(machine, plan, result), indent=2) + "\n")
    (folder / "chaos.svg").write_text(svg(f"Greenroom under fire, {machine}", result))


def as_json(machine: str, plan: Plan, result: Result) -> dict[str, Any]:
    return {
        "measured_at": datetime.fromtimestamp(result.began, UTC).isoformat(timespec="seconds"),
        "machine": machine,
        "seed": plan.seed,
        "faults": result.faults,
        "acknowledged": result.counts,
        "settled_seconds": round(result.settled, 1),
        "rounds": [one.as_json() for one in result.rounds],
        "calls": summary(result.calls),
        "memory_mb": {
            name: {"first": kept[0], "most": max(kept), "last": kept[-1]}
            for name, kept in result.memory.items()
        },
    }


def show(console: Console, result: Result) -> None:
    """The promises kept and broken, in a table and a line each."""
    table = Table(title="Back after", title_justify="left")
    kinds = list(result.rounds[0].recovered) if result.rounds else []
    for heading in ("round", "away", *kinds, "unclear"):
        table.add_column(heading, no_wrap=True)
    for one in result.rounds:
        took = ["never" if one.recovered[kind] is None else f"{one.recovered[kind]:.1f} s" for kind in kinds]
        away = f"{one.ready - one.began:.1f} s"
        table.add_row(f"{one.what} {one.component}", away, *took, str(one.unknown))
    console.print(table)
    console.print("acknowledged: " + ", ".join(f"{many} {what}" for what, many in result.counts.items()))
    for fault in result.faults[:SHOWN]:
        console.print(f"✗ {fault}", style="red", markup=False)
    left = len(result.faults) - SHOWN
    console.print(f"… and {left} more" if left > 0 else "" if result.faults else "✓ every promise was kept")
