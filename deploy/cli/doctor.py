"""`greenroom doctor`: can the stack run on this machine?"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from deploy.cli.up import DataDirOption
from deploy.local.data_dir import (
    DEFAULT_DATA_DIR,
    NEEDED_BYTES,
    DamagedFile,
    DataDir,
    read_json,
    supervisor_of,
)
from deploy.local.environment import full_environment
from deploy.local.overrides import Overrides, UnusableEnvironment
from deploy.local.plan import GATEWAY_PORT
from deploy.local.ports import is_free
from deploy.local.programs import FONTS, PROGRAMS, Program

MARKS = {True: "[green]ok[/green]", False: "[red]no[/red]"}


@dataclass(frozen=True)
class Finding:
    """One requirement; `detail` is where it is, or how to get it."""

    what: str
    ok: bool
    detail: str


def doctor(data_dir: DataDirOption = DEFAULT_DATA_DIR) -> None:
    """Look for everything that the stack needs; what is missing is named with the command that installs it.

    Exit status: 0 when the stack can run, 1 when something is missing.
    """
    data = DataDir.at(Path(data_dir))
    findings = checkup(data, os.environ)
    _show(findings)
    if all(finding.ok for finding in findings):
        typer.echo("\n" + what_next(supervisor_of(data)))
    else:
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


def checkup(data: DataDir, environ: Mapping[str, str]) -> list[Finding]:
    return [
        Finding("Python", sys.version_info >= (3, 11), f"{sys.version.split()[0]} at {sys.executable}"),
        *_programs(environ),
        _disk(data),
        _gateway(data),
    ]


def _programs(environ: Mapping[str, str]) -> list[Finding]:
    try:
        overrides = Overrides.of(full_environment(environ))
    except UnusableEnvironment as unusable:
        return [Finding("environment", ok=False, detail=str(unusable))]
    needed = (*overrides.needed_programs(), *overrides.needed_fonts())
    return [_program(program, needed=program in needed) for program in (*PROGRAMS, *FONTS)]


def _program(program: Program, *, needed: bool) -> Finding:
    if not needed:
        return Finding(program.name, ok=True, detail="not needed with this environment")
    path = program.find()
    return Finding(program.name, path is not None, str(path or program.install))


def _disk(data: DataDir) -> Finding:
    """RabbitMQ refuses to accept messages on a full disk."""
    existing = next(path for path in (data.root, *data.root.parents) if path.exists())
    if not os.access(existing, os.W_OK):
        return Finding("data directory", ok=False, detail=f"{data.root} cannot be written")
    free, needed = data.free_bytes, NEEDED_BYTES
    detail = f"{data.root}, {free / 1e9:.1f} GB free, {needed / 1e9:.0f} GB needed"
    return Finding("data directory", ok=free > needed, detail=detail)


def _gateway(data: DataDir) -> Finding:
    """A busy default port is not a problem: another one is taken."""
    running = supervisor_of(data)
    if running is not None:
        return Finding("gateway port", ok=True, detail=f"a stack runs here, supervised by process {running}")
    try:
        port = (read_json(data.ports_file) or {}).get("gateway", GATEWAY_PORT)
    except DamagedFile as damaged:
        return Finding("gateway port", ok=False, detail=str(damaged))
    detail = f"{port} is free" if is_free(port) else f"{port} is in use: the gateway will take another"
    return Finding("gateway port", ok=True, detail=detail)
