"""What the administrator's commands print: a table for people, JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PageOption = Annotated[int, typer.Option("--page", help="Which page.", min=1)]
LimitOption = Annotated[int, typer.Option("--limit", help="How many a page.", min=1, max=100)]


def show(thing: dict[str, Any], *, as_json: bool) -> None:
    """One thing, a line for each field."""
    if as_json:
        typer.echo(json.dumps(thing, indent=2))
        return
    width = max(map(len, thing))
    for name, value in thing.items():
        typer.echo(f"{name:<{width}}  {_text(value)}")


def show_page(answer: dict[str, Any], noun: str, columns: Sequence[str], *, as_json: bool) -> None:
    """One page of a list."""
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
        return
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")
    for item in answer[noun]:
        table.add_row(*(_text(item[column]) for column in columns))
    console = Console()
    console.print(table)
    console.print(f"page {answer['page']}, {len(answer[noun])} of {answer['total']}", highlight=False)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
