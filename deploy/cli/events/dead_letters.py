"""`greenroom events dead-letters`: list, show and replay what handlers gave up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Coroutine
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from deploy.cli.admin.client import fail
from deploy.cli.events.broker import broker_url

if TYPE_CHECKING:
    from shared.bus import DeadLetter

app = typer.Typer(help="Events that a group of handlers gave up.", no_args_is_help=True)

SOME = 2

T = TypeVar("T")
Found = list[tuple[str, "DeadLetter"]]

GroupOption = Annotated[
    str | None, typer.Option("--group", help="Only this group's, for example attendance.", metavar="NAME")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(group: GroupOption = None, as_json: JsonOption = False) -> None:
    """List dead letters, the oldest first. They stay where they are.

    Exit status: 0 when there are none, 2 when there are some.
    """
    found = _find(group)
    if as_json:
        typer.echo(json.dumps([_line(name, letter) for name, letter in found], indent=2))
    else:
        _show_table(found)
    if found:
        raise typer.Exit(SOME)


@app.command("show")
def show(event_id: str, group: GroupOption = None) -> None:
    """Show one dead letter whole, with its data and why it was given up."""
    chosen = [(name, letter) for name, letter in _find(group) if letter.id == event_id]
    if not chosen:
        fail(f"There is no dead letter {event_id}.")
    for name, letter in chosen:
        typer.echo(json.dumps({**_line(name, letter), "data": _data(letter.body)}, indent=2))


@app.command("replay")
def replay(
    event_ids: Annotated[list[str] | None, typer.Argument(help="Which; without any, all of them.")] = None,
    group: GroupOption = None,
) -> None:
    """Put dead letters back into their own group's queue; other groups do not see them again.

    Safe to repeat: handlers apply an event once. Exit status: 1 when one that was named is not there.
    """
    from deploy import dead_letters

    replayed = _run(dead_letters.replay(broker_url(), _groups(group), event_ids or None))
    for name, count in replayed.items():
        if count or not event_ids:
            typer.echo(f"{name}: {count} replayed")
    wrong = not_there(event_ids or (), sum(replayed.values()))
    if wrong:
        fail(wrong)


def not_there(event_ids: Collection[str], replayed: int) -> str | None:
    """What is wrong where fewer were replayed than were named; an event may be in several groups."""
    named = set(event_ids)
    if replayed >= len(named):
        return None
    if replayed:
        return f"{replayed} were replayed, but there are not as many dead letters as were named."
    return f"There is no dead letter {', '.join(sorted(named))}."


def _find(group: str | None) -> Found:
    # Imported late: the services come with it, which the other commands need not wait for.
    from deploy import dead_letters

    return _run(dead_letters.dead_letters(broker_url(), _groups(group)))


def _groups(group: str | None) -> tuple[str, ...]:
    from deploy.dead_letters import GROUPS

    if group is not None and group not in GROUPS:
        fail(f"There is no group {group}; there are {', '.join(GROUPS)}.")
    return (group,) if group else GROUPS


def _run(work: Coroutine[Any, Any, T]) -> T:
    from shared.errors import AppError

    try:
        return asyncio.run(work)
    except AppError as error:
        fail(error.message)


def _show_table(found: Found) -> None:
    console = Console()
    if not found:
        console.print("There are no dead letters.")
        return
    table = Table()
    for column in ("group", "id", "event", "about", "attempts", "given up", "reason"):
        table.add_column(column, overflow="fold")
    for name, letter in found:
        line = _line(name, letter)
        table.add_row(*(str(line[field] or "") for field in _FIELDS))
    console.print(table)


_FIELDS = ("group", "id", "event", "key", "attempts", "last_failed_at", "reason")


def _line(group: str, letter: DeadLetter) -> dict[str, object]:
    return {
        "group": group,
        "id": letter.id,
        "event": letter.event,
        "key": letter.key,
        "attempts": letter.attempts,
        "first_failed_at": letter.first_failed_at.isoformat() if letter.first_failed_at else None,
        "last_failed_at": letter.last_failed_at.isoformat() if letter.last_failed_at else None,
        "reason": letter.reason,
    }


def _data(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
