"""`greenroom doctor`: can the stack run on this machine?"""

from __future__ import annotations

import os
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from deploy.cli.options import DEFAULT_DATA_DIR, DataDirOption
from deploy.local.checkup import Finding, checkup
from deploy.local.layout import DataDir
from deploy.local.lock import supervisor_of

MARKS = {True: "[green]ok[/green]", False: "[red]missing[/red]"}


def doctor(data_dir: DataDirOption = DEFAULT_DATA_DIR) -> None:
    """Look for everything that the stack needs; what is missing is named with the command that installs it.

    Exit status: 0 when the stack can run, 1 when something is missing.
    """
    data = DataDir.at(Path(data_dir))
    findings = checkup(data, os.environ)
    _show(findings)
    if all(finding.ok for finding in findings):
        typer.echo("\n" + what_next(supervisor_of(data)))
    if any(not finding.ok for finding in findings):
        raise typer.Exit(1)


def _show(findings: list[Finding]) -> None:
    console = Console()
    table = Table(box=None, pad_edge=False)
    for heading in ("what", "", "where, or what to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        table.add_row(finding.what, MARKS[finding.ok], finding.detail)
    console.print(table)


def what_next(supervisor: int | None) -> str:
    if supervisor is None:
        return "Everything is there: start with `greenroom up`."
    return "Everything is there, and a stack runs: see `greenroom status`."
