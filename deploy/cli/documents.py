"""`greenroom openapi`: the API and the events as documents, made from the code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from services.attendance.app import TABLES as ATTENDANCE
from shared.contracts.asyncapi import asyncapi_document

from services.egress.app import TABLES as EGRESS
from services.gateway.documents import public_document
from services.session.app import TABLES as SESSION
from shared.http import Routes
from shared.http.openapi import service_document

STALE = 1


def openapi(
    directory: Annotated[
        Path, typer.Option("--directory", help="Where the documents are.", metavar="DIR")
    ] = Path("docs"),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 where a document is stale.")
    ] = False,
) -> None:
    """Write docs/openapi.json (all operations) and docs/asyncapi.json (all events) from the code."""
    stale = [
        path for name, document in documents().items() if not _current(path := directory / name, document)
    ]
    for path in stale:
        if check:
            typer.echo(f"{path} is stale: run `make openapi` and commit it", err=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(documents()[path.name])
            typer.echo(f"wrote {path}")
    if check and stale:
        raise typer.Exit(STALE)
    if not stale:
        typer.echo("The documents are up to date.")


def documents() -> dict[str, bytes]:
    """The documents by file name."""
    tables = {"session": SESSION, "egress": EGRESS, "attendance": ATTENDANCE}
    services = [service_document(name, _declared(routes)) for name, routes in tables.items()]
    return {
        "openapi.json": _encoded(public_document(services)),
        "asyncapi.json": _encoded(asyncapi_document()),
    }


def _declared(tables: tuple[Routes, ...]) -> list[Any]:
    return [route for table in tables for route in table]


def _current(path: Path, document: bytes) -> bool:
    return path.is_file() and path.read_bytes() == document


def _encoded(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
