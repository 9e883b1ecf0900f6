"""`greenroom events dead-letters`: list, show and replay the events that handlers gave up."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.cli.local_stack import running_stack
from deploy.terminal import JsonOption, fail, run_or_fail

if TYPE_CHECKING:
    from shared.bus import DeadLetter

events = typer.Typer(help="Events between the services.", no_args_is_help=True)
app = typer.Typer(no_args_is_help=True)
events.add_typer(app, name="dead-letters")

SOME_FOUND = 2

Found = list[tuple[str, "DeadLetter"]]

GroupOption = Annotated[
    str | None, typer.Option("--group", help="Only this group's, for example attendance.", metavar="NAME")
]


@app.callback()
def configure_logs() -> None:
    """Events that a group of handlers gave up.

    At the broker of GREENROOM_AMQP_URL, else that of the local stack (GREENROOM_DATA_DIR, or .local).
    """
    from shared.runtime import log

    log.configure(service="greenroom", level="ERROR", output="console")


@app.command("list")
def list_(group: GroupOption = None, as_json: JsonOption = False) -> None:
    """List dead letters, the oldest first. They stay in their queues.

    Exit status: 0 when there are none, 2 when there are some.
    """
    found = _find(group)
    if as_json:
        typer.echo(json.dumps([_line(name, letter) for name, letter in found], indent=2))
    else:
        _show_table(found)
    if found:
        raise typer.Exit(SOME_FOUND)


@app.command("show")
def show(event_id: str, group: GroupOption = None) -> None:
    """Show one dead letter with all its data and the reason."""
    chosen = [(name, letter) for name, letter in _find(group) if letter.id == event_id]
    if not chosen:
        fail(f"There is no dead letter {event_id}.")
    for name, letter in chosen:
        typer.echo(json.dumps({**_line(name, letter), "data": _data(letter.body)}, indent=2))


@app.command("replay")
def replay(
    event_ids: Annotated[list[str] | None, typer.Argument(help="Their ids; by default all of them.")] = None,
    group: GroupOption = None,
) -> None:
    """Put dead letters back into their own group's queue; other groups do not see them again.

    Safe to repeat: handlers apply an event once. Exit status: 1 when a named one is not there.
    """
    from deploy import dead_letters

    replayed = run_or_fail(dead_letters.replay(_broker_url(), _groups(group), event_ids or None))
    for name, count in replayed.items():
        if count or not event_ids:
            typer.echo(f"{name}: {count} replayed")
    error = replay_error(event_ids or (), sum(replayed.values()))
    if error:
        fail(error)


def replay_error(event_ids: Collection[str], replayed: int) -> str | None:
    """The error if fewer were replayed than named; an event may be in several groups."""
    named = set(event_ids)
    if replayed >= len(named):
        return None
    if replayed:
        return f"{replayed} were replayed, but there are not as many dead letters as were named."
    return f"There is no dead letter {', '.join(sorted(named))}."


def _find(group: str | None) -> Found:
    # Imported late: the services come with it, which the other commands need not wait for.
    from deploy import dead_letters

    return run_or_fail(dead_letters.dead_letters(_broker_url(), _groups(group)))


def _broker_url() -> str:
    """GREENROOM_AMQP_URL, else that of the local stack (in GREENROOM_DATA_DIR, or .local)."""
    if given := os.environ.get("GREENROOM_AMQP_URL"):
        return given
    stack = running_stack()
    if stack is None:
        fail("No broker is known. Start one with `greenroom up`, or set GREENROOM_AMQP_URL.")
    return stack.amqp_url


def _groups(group: str | None) -> tuple[str, ...]:
    from deploy.dead_letters import GROUPS

    if group is not None and group not in GROUPS:
        fail(f"There is no group {group}; there are {', '.join(GROUPS)}.")
    return (group,) if group else GROUPS


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
