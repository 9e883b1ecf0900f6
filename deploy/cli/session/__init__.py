"""`greenroom session`: what happened to a session, and why it ended, failed or has not started."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.api_client import ApiClient
from deploy.cli.admin.client import administrator, call, run_or_refuse
from deploy.terminal import JsonOption

HELP = """What happened to a session, for support.

On the local stack (GREENROOM_DATA_DIR, or .local), or the gateway at GREENROOM_BASE_URL, signed in as
GREENROOM_ADMIN_EMAIL with GREENROOM_ADMIN_PASSWORD.
"""

app = typer.Typer(help=HELP, no_args_is_help=True)

KindOption = Annotated[
    list[str] | None,
    typer.Option("--kind", help="Only these: command, webhook, repair, event. May be repeated."),
]
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens; Ctrl-C ends.")]

_PAGE = 500
_FOLLOW_SECONDS = 1.0
# Less than an access token's lifetime.
_SIGNED_IN_SECONDS = 600
# Entries come into the journal some time after they happened.
_FOLLOW_BACK = timedelta(seconds=30)
_STYLES = {"command": "cyan", "webhook": "blue", "repair": "yellow", "event": "white"}
_WIDE = 160


@app.command("timeline")
def timeline(
    session_id: str, kind: KindOption = None, follow: FollowOption = False, as_json: JsonOption = False
) -> None:
    """Show everything that happened to a session, in order, with callers, causes and latencies.

    Webhooks have LiveKit's own time and how long they took to arrive; `←` is what something is an effect of,
    and after how long; ~ marks times that are estimated. A gap is what is missing, or came late.
    """
    run_or_refuse(_show(session_id, kind, follow=follow, as_json=as_json))


@app.command("why")
def why(session_id: str, as_json: JsonOption = False) -> None:
    """Say in plain words why a session, its stream and its recordings ended, failed or have not started."""
    answer = call("GET", f"/admin/sessions/{session_id}/explanation")
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    for finding in answer["findings"]:
        console.print(f"[bold]{escape(finding['subject'])}[/]: {escape(finding['text'])}")
        for detail in finding["details"]:
            console.print(f"  - {escape(detail)}")


async def _show(session_id: str, kinds: list[str] | None, *, follow: bool, as_json: bool) -> None:
    seen: set[str] = set()
    since: str | None = None
    while True:
        async with administrator() as admin:
            signed_in_until = time.monotonic() + _SIGNED_IN_SECONDS
            while time.monotonic() < signed_in_until:
                pages = [page async for page in _pages(admin, session_id, kinds, since)]
                fresh = [entry for page in pages for entry in page if entry["id"] not in seen]
                _print(fresh, as_json=as_json, headed=not seen)
                seen |= {entry["id"] for entry in fresh}
                if not follow:
                    return
                if fresh:
                    since = (datetime.fromisoformat(fresh[-1]["at"]) - _FOLLOW_BACK).isoformat()
                await asyncio.sleep(_FOLLOW_SECONDS)


async def _pages(
    admin: ApiClient, session_id: str, kinds: list[str] | None, since: str | None
) -> AsyncIterator[list[dict[str, Any]]]:
    cursor = None
    while True:
        answer = await admin.call(
            "GET",
            f"/admin/sessions/{session_id}/timeline",
            query={"kind": kinds, "since": since, "cursor": cursor, "limit": _PAGE},
        )
        if answer["note"]:
            typer.secho(answer["note"], err=True)
        yield answer["entries"]
        cursor = answer["next_cursor"]
        if cursor is None:
            return


def _print(entries: list[dict[str, Any]], *, as_json: bool, headed: bool) -> None:
    if as_json:
        for entry in entries:
            typer.echo(json.dumps(entry))
        return
    if not entries:
        return
    table = Table(show_header=headed, box=None, pad_edge=False, expand=True)
    table.add_column("time (UTC)", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("what", overflow="fold", ratio=3)
    table.add_column("by, effect of, or LiveKit's time", overflow="fold", ratio=2)
    table.add_column("latencies", overflow="fold", ratio=1)
    for entry in entries:
        for gap in entry["gaps"]:
            table.add_row("", "[yellow]gap[/]", f"[yellow]{escape(gap['text'])}[/]", "", "")
        style = _STYLES[entry["kind"]]
        mark = "~" if entry["estimated"] else " "
        table.add_row(
            _time(entry["at"]) + mark,
            f"[{style}]{entry['kind']}[/]",
            escape(entry["text"]),
            escape(_by(entry)),
            _latencies(entry),
        )
    Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False).print(table)


def _time(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(UTC).strftime("%m-%d %H:%M:%S.%f")[:-3]


def _by(entry: dict[str, Any]) -> str:
    if entry["kind"] == "webhook":
        return f"LiveKit {_time(entry['occurred_at'])}" if entry["occurred_at"] else "LiveKit"
    if entry["operation"]:
        return f"{entry['operation']} {entry['actor_name'] or entry['actor'] or ''}".strip()
    cause = entry["cause"]
    return f"← {cause['what']} +{cause['milliseconds']} ms" if cause else ""


def _latencies(entry: dict[str, Any]) -> str:
    given = entry["latencies"]
    whole = entry["occurred_at"] and datetime.fromisoformat(entry["occurred_at"]).microsecond == 0
    names = {
        "arrival": "arrived at most" if whole else "arrived",
        "journal": "journal",
        "egress_start": "started",
        "first_segment": "1st segment",
    }
    return ", ".join(f"{words} +{given[name]} ms" for name, words in names.items() if given[name] is not None)
