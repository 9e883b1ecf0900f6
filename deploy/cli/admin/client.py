"""Calls to the administrator routes of a running gateway."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import aiohttp
import typer

from deploy.cli.options import DEFAULT_DATA_DIR

FAILED = 1
_DEADLINE = aiohttp.ClientTimeout(total=15)


@dataclass(frozen=True)
class Access:
    """Which gateway, and who signs in there."""

    base_url: str
    email: str
    password: str


def access() -> Access:
    """From GREENROOM_BASE_URL, GREENROOM_ADMIN_EMAIL and _PASSWORD, else from the local stack."""
    given = [os.environ.get(f"GREENROOM_{name}") for name in ("BASE_URL", "ADMIN_EMAIL", "ADMIN_PASSWORD")]
    base_url, email, password = given
    if base_url and email and password:
        return Access(base_url, email, password)
    path = Path(os.environ.get("GREENROOM_DATA_DIR", DEFAULT_DATA_DIR)) / "stack.json"
    if not path.is_file():
        fail(
            "No gateway is known. Start one with `greenroom up`, or set GREENROOM_BASE_URL, "
            "GREENROOM_ADMIN_EMAIL and GREENROOM_ADMIN_PASSWORD."
        )
    stack = json.loads(path.read_text())
    return Access(stack["base_url"], stack["admin"]["email"], stack["admin"]["password"])


def call(method: str, path: str, *, body: dict[str, Any] | None = None, **query: Any) -> Any:
    """One call as the administrator; the answer's `data`. Refusals end the command with their sentence."""
    try:
        return asyncio.run(_call(access(), method, path, body, query))
    except (aiohttp.ClientError, TimeoutError) as error:
        fail(f"The gateway does not answer: {error}")


async def _call(
    who: Access, method: str, path: str, body: dict[str, Any] | None, query: dict[str, Any]
) -> Any:
    async with aiohttp.ClientSession(who.base_url, timeout=_DEADLINE) as client:
        credentials = {"email": who.email, "password": who.password}
        async with client.post("/auth/login", json=credentials) as response:
            token = _data(await response.json())["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        given = {name: str(value) for name, value in query.items() if value is not None}
        async with client.request(method, path, json=body, params=given, headers=headers) as response:
            return _data(await response.json())


def _data(answer: dict[str, Any]) -> Any:
    if not answer["success"]:
        details = [f"  {bad['field']}: {bad['message']}" for bad in answer.get("errors", ())]
        fail("\n".join([f"{answer['error']} ({answer.get('code')})", *details]))
    return answer["data"]


def fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(FAILED)


def sent(**fields: Any) -> dict[str, Any]:
    """The body of an update: the options that were given."""
    return {name: value for name, value in fields.items() if value is not None}
