"""What is kept of a run: rolling.json, and what is shown."""

import json
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.chaos.run import summary
from tests.rolling.run import Plan, Result

SHOWN = 30


def keep(folder: Path, figures: dict[str, Any]) -> None:
    """Write rolling.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rolling.json").write_text(json.dumps(figures, indent=2) + "\n")


def as_json(plan: Plan, result: Result) -> dict[str, Any]:
    return {
        "measured_at": datetime.fromtimestamp(result.began, UTC).isoformat(timespec="seconds"),
        "load": {"requests_per_second": plan.rate, **asdict(plan.size)},
        "seconds": round(result.seconds, 1),
        "calls_per_second": round(len(result.calls) / result.seconds, 1),
        "requests_left_out": result.left_out,
        "failed": {kind: len(calls) for kind, calls in result.failed.items()},
        "faults": result.faults,
        "acknowledged": result.counts,
        "settled_seconds": round(result.settled, 1),
        "exits": [
            {
                "replica": one.name,
                "status": one.status,
                "seconds": round(one.seconds, 1),
                "replaced_after": round(one.replaced_after, 1),
            }
            for one in result.exits
        ],
        "calls": summary(result.calls),
    }


def show(console: Console, result: Result) -> None:
    rate = len(result.calls) / result.seconds
    console.print(f"{len(result.calls)} calls, {rate:.0f} a second; {result.left_out} were not sent in time")
    failed = {kind: len(calls) for kind, calls in result.failed.items()}
    console.print(f"failed: {failed}; all was seen after {result.settled:.1f} s")
    for call, many in Counter(
        f"{call.kind}: {call.status} {call.code}" for calls in result.failed.values() for call in calls
    ).most_common():
        console.print(f"  {many} x {call}", markup=False)
    for fault in result.faults[:SHOWN]:
        console.print(f"✗ {fault}", style="red", markup=False)
    console.print("" if result.faults else "✓ nothing failed that must not, and nothing was lost")
