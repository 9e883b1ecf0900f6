"""`make bench`: every figure as a ratio to a baseline in the same run.

python -m tests.bench [--short] [--only NAME] [--results DIR]
"""

import asyncio
import json
import os
import platform
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console as Terminal
from rich.markup import escape
from rich.table import Table

from deploy.local.data_dir import DataDir
from tests.bench import (
    chat_and_votes,
    memory,
    memory_growth,
    presence_changes,
    reads,
    recorder,
    sessions,
    webhooks,
)
from tests.bench.chart import svg
from tests.bench.rows import Row
from tests.running_stack import RunningStack, private_stack

Bench = Callable[..., Awaitable[list[Row]]]

BENCHES: dict[str, Bench] = {
    "reads": reads.run,
    "sessions": sessions.run,
    "talk": chat_and_votes.run,
    "webhooks": webhooks.run,
    "crowd": presence_changes.run,
    "recorder": recorder.run,
    "steady": memory_growth.run,
}
START_SECONDS = 120.0


def bench(
    short: Annotated[bool, typer.Option("--short", help="Fewer calls: a few seconds for each.")] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", help=f"Only these: {', '.join(BENCHES)}.")
    ] = None,
    results: Annotated[
        Path, typer.Option("--results", help="Where benchmark.json and benchmark.svg go.")
    ] = Path("docs/results"),
) -> None:
    """Measure Greenroom on a private stack on this machine, each figure beside its baseline."""
    names = only or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        raise typer.BadParameter(f"there is no {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    terminal = Terminal()
    with (
        tempfile.TemporaryDirectory(prefix="greenroom-bench-") as folder,
        private_stack(DataDir.at(Path(folder))) as stack,
    ):
        rows, failed = asyncio.run(measure(stack, names, short=short, say=terminal.print))
    _show(terminal, rows)
    _keep(results, rows, short=short)
    terminal.print(f"written: {results}/benchmark.json, {results}/benchmark.svg")
    if failed:
        terminal.print(f"not measured: {', '.join(failed)}", style="red")
        raise typer.Exit(1)


async def measure(
    stack: RunningStack, names: Sequence[str], *, short: bool, say: Callable[[str], object]
) -> tuple[list[Row], list[str]]:
    """Run the benchmarks one after the other, and look at the services' memory at the end.

    A failing one does not affect the others; it is reported.
    """
    rows: list[Row] = []
    failed: list[str] = []
    for number, name in enumerate(names, 1):
        say(f"[{number}/{len(names)}] {name} …")
        started = time.perf_counter()
        try:
            rows += await BENCHES[name](stack, short=short)
        except Exception as error:  # whatever it is, it is told
            say(f"[red][{number}/{len(names)}] {name}: {type(error).__name__}: {escape(str(error))}[/]")
            failed.append(name)
            continue
        say(f"[{number}/{len(names)}] {name}: {time.perf_counter() - started:.0f} s")
    return rows + memory.rows(stack), failed


def _show(terminal: Terminal, rows: Sequence[Row]) -> None:
    table = Table(title="Greenroom beside bare programs, in one run", title_justify="left")
    for heading in ("what", "ours", "baseline", "ratio", "goal", "", "note"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        goal = "" if row.goal is None else f"{'≤' if row.at_most else '≥'} {row.goal:g}"
        table.add_row(
            row.what,
            f"{row.value:.4g} {row.unit}",
            "" if row.baseline is None else f"{row.baseline:.4g} {row.unit}",
            "" if row.ratio is None else f"{row.ratio:.2f}",
            goal,
            {True: "ok", False: "short", None: ""}[row.reached],
            row.note,
        )
    terminal.print(table)


def _keep(folder: Path, rows: Sequence[Row], *, short: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "event_loop": "asyncio",
        "database": "mongod" if _has_mongod() else "SecantusDB",
        "short": short,
        "rows": [row.as_json() for row in rows],
    }
    (folder / "benchmark.json").write_text(json.dumps(result, indent=2) + "\n")
    title = f"Greenroom, {result['machine']}, {result['event_loop']}, {result['database']}"
    (folder / "benchmark.svg").write_text(svg(title, result["rows"]))


def _has_mongod() -> bool:
    return any((Path(folder) / "mongod").exists() for folder in os.environ.get("PATH", "").split(os.pathsep))


if __name__ == "__main__":
    typer.run(bench)
