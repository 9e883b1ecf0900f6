"""What is kept of a run, and what is shown at its end."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tests.chaos.chart import svg
from tests.chaos.media.setup import Verdict
from tests.chaos.run import Plan, Result, summary
from tests.machine_info import in_one_line

SHOWN = 30


def keep(
    folder: Path, where: dict[str, str], plan: Plan, result: Result, verdicts: Sequence[Verdict]
) -> None:
    """Write chaos.json and chaos.svg; `where` is the machine as it is described."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chaos.json").write_text(json.dumps(as_json(where, plan, result), indent=2) + "\n")
    (folder / "chaos.svg").write_text(svg(f"Greenroom under fire, {in_one_line(where)}", result, verdicts))


def as_json(where: dict[str, str], plan: Plan, result: Result) -> dict[str, Any]:
    return {
        "measured_at": datetime.fromtimestamp(result.began, UTC).isoformat(timespec="seconds"),
        **where,
        "load": asdict(plan.size),
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
    table = Table(title="Seconds until it worked again", title_justify="left", box=SIMPLE_HEAD)
    kinds = list(result.rounds[0].recovered) if result.rounds else []
    for heading in ("round", "away", *kinds, "unclear"):
        table.add_column(heading, no_wrap=True)
    for one in result.rounds:
        took = ["never" if one.recovered[kind] is None else f"{one.recovered[kind]:.1f}" for kind in kinds]
        away = f"{one.ready - one.began:.1f}"
        table.add_row(f"{one.what} {one.component}", away, *took, str(one.unknown))
    console.print(table)
    console.print("acknowledged: " + ", ".join(f"{many} {what}" for what, many in result.counts.items()))
    for fault in result.faults[:SHOWN]:
        console.print(f"✗ {fault}", style="red", markup=False)
    left = len(result.faults) - SHOWN
    console.print(f"… and {left} more" if left > 0 else "" if result.faults else "✓ every promise was kept")
