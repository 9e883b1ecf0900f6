"""`greenroom status`: how the stack is."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.cli.up import DataDirOption
from deploy.local.data_dir import DEFAULT_DATA_DIR, DataDir
from deploy.local.status import Report, inspect

RUNNING, DEGRADED, NOT_RUNNING = 0, 1, 3
STYLES = {
    "ready": "green",
    "not answering": "red",
    "restarting": "red",
    "held": "yellow",
    "taken over": "yellow",
}


def status(
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show each component with its process, port, age and restarts, and whether there are dead letters.

    Every component is asked now.

    Exit status: 0 when all are ready, 1 when some are not, 3 when no stack runs here.
    """
    report = asyncio.run(inspect(DataDir.at(data_dir)))
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2))
    else:
        _show(report)
    if report.supervisor is None:
        raise typer.Exit(NOT_RUNNING)
    raise typer.Exit(RUNNING if report.ready else DEGRADED)


def _show(report: Report) -> None:
    console = Console()
    if report.supervisor is None:
        console.print("No stack runs here. Start one with `greenroom up`.")
        return
    table = Table(title=f"Greenroom, supervised by process {report.supervisor}", title_justify="left")
    for heading in ("component", "state", "pid", "port", "since", "restarts"):
        table.add_column(heading, justify="right" if heading in ("pid", "port", "restarts") else "left")
    for component in report.components:
        state = f"[{STYLES.get(component.state, 'dim')}]{component.state}[/]"
        age = f"{time.time() - component.since:.0f} s" if component.since else ""
        table.add_row(
            component.name, state, str(component.pid or ""), str(component.port), age, str(component.restarts)
        )
    console.print(table)
    _show_dead_letters(console, report.dead_letters)
    if report.base_url:
        console.print(f"Gateway: {report.base_url}", highlight=False)
    if report.mail_url:
        console.print(f"Mails: {report.mail_url}", highlight=False)


def _show_dead_letters(console: Console, letters: dict[str, int]) -> None:
    counts = ", ".join(f"{group} {count}" for group, count in letters.items() if count)
    if counts:
        console.print(f"[red]Dead letters: {counts}[/]; see `greenroom events dead-letters list`")
    else:
        console.print("Dead letters: none")
