"""Calls to the administrator routes of a running gateway, and how their answers are printed."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

import aiohttp
import typer
from rich.console import Console
from rich.table import Table

from deploy.api_client import ApiClient, CallFailed
from deploy.cli.local_stack import running_stack
from deploy.terminal import fail

T = TypeVar("T")

PageOption = Annotated[int, typer.Option("--page", help="Which page.", min=1)]
LimitOption = Annotated[int, typer.Option("--limit", help="How many a page.", min=1, max=100)]
OfOrganizationOption = Annotated[str | None, typer.Option("--organization", help="Only this one's.")]


def call(method: str, path: str, *, body: dict[str, Any] | None = None, **query: Any) -> Any:
    """One call as the administrator; the answer's `data`. A refusal ends the command with its reason."""
    return run_or_refuse(_call(method, path, body, query))


def run_or_refuse(work: Coroutine[Any, Any, T]) -> T:
    """The result of calls as the administrator; a refusal ends the command with its reason."""
    try:
        return asyncio.run(work)
    except CallFailed as failed:
        if failed.status is None:
            fail(f"The gateway does not answer: {failed.message}")
        details = [f"  {bad.field}: {bad.message}" for bad in failed.errors]
        fail("\n".join([f"{failed.message} ({failed.code})", *details]))


@asynccontextmanager
async def administrator() -> AsyncIterator[ApiClient]:
    """The gateway's API, signed in as the administrator. Raises CallFailed."""
    base_url, login = _gateway_and_login()
    async with aiohttp.ClientSession() as http:
        yield await ApiClient(base_url, http).sign_in(*login)


async def _call(method: str, path: str, body: dict[str, Any] | None, query: dict[str, Any]) -> Any:
    async with administrator() as admin:
        return await admin.call(method, path, body=body, query=query)


def _gateway_and_login() -> tuple[str, tuple[str, str]]:
    """From GREENROOM_BASE_URL, GREENROOM_ADMIN_EMAIL and _PASSWORD, else from the local stack."""
    names = ("BASE_URL", "ADMIN_EMAIL", "ADMIN_PASSWORD")
    base_url, email, password = (os.environ.get(f"GREENROOM_{name}") for name in names)
    if base_url and email and password:
        return base_url, (email, password)
    stack = running_stack()
    if stack is None:
        fail(
            "No gateway is known. Start one with `greenroom up`, or set GREENROOM_BASE_URL, "
            "GREENROOM_ADMIN_EMAIL and GREENROOM_ADMIN_PASSWORD."
        )
    return stack.base_url, (stack.admin.email, stack.admin.password)


def without_none(**fields: Any) -> dict[str, Any]:
    """The body of an update: only the options that were given."""
    return {name: value for name, value in fields.items() if value is not None}


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
