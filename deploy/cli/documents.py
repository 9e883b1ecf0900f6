"""`greenroom openapi`: the API, events, settings, metrics and so on as documents, made from the code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

STALE = 1
# What the gateway routes; it does not ask the services.
_OPERATIONS = Path("services/gateway/routing/operations.json")
_CHART = Path("deploy/helm/greenroom")
_DASHBOARDS = _CHART / "files/dashboards"


def openapi(
    directory: Annotated[
        Path, typer.Option("--directory", help="Where the documents are.", metavar="DIR")
    ] = Path("docs"),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if a document is stale.")
    ] = False,
) -> None:
    """Write the documents in docs/, the gateway's operations.json, the chart's documents and dashboards."""
    # Imported late: every service comes with it, which the other commands need not wait for.
    from deploy.documents import documents, operations
    from deploy.documents.chart import chart_documents
    from deploy.documents.dashboards import dashboards

    current = {directory / name: document for name, document in documents().items()}
    current[_OPERATIONS] = operations()
    current |= {_CHART / name: document for name, document in chart_documents().items()}
    current |= {_DASHBOARDS / name: dashboard for name, dashboard in dashboards().items()}
    stale = [path for path, document in current.items() if not _holds(path, document)]
    for path in stale:
        if check:
            typer.echo(f"{path} is stale: run `make openapi` and commit it", err=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(current[path])
            typer.echo(f"wrote {path}")
    if not stale:
        typer.echo("The documents are up to date.")
    elif check:
        raise typer.Exit(STALE)


def _holds(path: Path, document: bytes) -> bool:
    return path.is_file() and path.read_bytes() == document
