"""`greenroom healthcheck`: does the process beside answer?"""

from __future__ import annotations

import os
from http.client import HTTPException
from typing import Annotated
from urllib.error import HTTPError
from urllib.request import urlopen

import typer

from deploy.terminal import fail


def healthcheck(
    path: Annotated[
        str, typer.Argument(help="/healthz: it is alive; /readyz: it is ready for work.")
    ] = "/healthz",
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the answer.")] = 3.0,
) -> None:
    """Ask the process that runs with this environment (GREENROOM_HOST, GREENROOM_PORT) whether it is healthy.

    Exit status: 0 when it is, 1 when not.
    """
    url = f"http://{_host()}:{os.environ.get('GREENROOM_PORT', '8000')}{path}"
    try:
        with urlopen(url, timeout=timeout) as answer:
            typer.echo(answer.read().decode())
    except HTTPError as refused:
        fail(f"{url}: {refused.code} {refused.read().decode(errors='replace')}")
    except (OSError, HTTPException) as error:
        fail(f"{url}: {error}")


def _host() -> str:
    """Where the process can be asked: one that listens on all addresses, on the loopback address."""
    host = os.environ.get("GREENROOM_HOST", "127.0.0.1")
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
