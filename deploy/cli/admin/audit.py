"""`greenroom admin audit`: what administrators did, and were refused."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.cli.admin.client import call
from deploy.terminal import JsonOption

_WIDE = 160
_STYLES = {"done": "green", "refused": "yellow", "failed": "red", "begun": "magenta"}


def audit(
    actor: Annotated[str | None, typer.Option("--actor", help="user:<id>, key:<id>, command:…")] = None,
    operation: Annotated[
        str | None, typer.Option("--operation", help='For example "PATCH /admin/users/{id}".')
    ] = None,
    target: Annotated[str | None, typer.Option("--target", help="The id of what it was done to.")] = None,
    outcome: Annotated[str | None, typer.Option("--outcome", help="done, refused, failed or begun.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="For example 2030-01-31T20:00:00Z.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="For example 2030-01-31T21:00:00Z.")] = None,
    limit: Annotated[int, typer.Option("--limit", help="How many.", min=1, max=1000)] = 50,
    cursor: Annotated[str | None, typer.Option("--cursor", help="What follows this call, by its id.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what administrators did and were refused, the newest first."""
    answer = call(
        "GET",
        "/admin/audit",
        actor=actor,
        operation=operation,
        target=target,
        outcome=outcome,
        since=since,
        until=until,
        limit=limit,
        cursor=cursor,
    )
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for column in ("time (UTC)", "who", "what", "to what", "with", "outcome", "from"):
        table.add_column(column, overflow="fold")
    for one in answer["calls"]:
        table.add_row(*_row(one))
    console = Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False)
    console.print(table)
    if answer["next_cursor"]:
        console.print(f"More: --cursor {answer['next_cursor']}")


def _row(one: dict[str, Any]) -> list[str]:
    fields = ", ".join(
        name if value == "(not kept)" else f"{name}={value}" for name, value in one["fields"].items()
    )
    outcome = " ".join(str(part) for part in (one["outcome"], one["status"], one["refusal"]) if part)
    return [
        one["at"][:19].replace("T", " "),
        escape(f"{one['actor_name'] or ''} {one['actor']}".strip()),
        escape(one["operation"]),
        escape(", ".join(one["targets"])),
        escape(fields),
        f"[{_STYLES[one['outcome']]}]{outcome}[/]",
        one["client_address"] or "",
    ]
