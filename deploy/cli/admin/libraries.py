"""`greenroom admin libraries`."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.cli.admin.client import call, sent
from deploy.cli.admin.output import JsonOption, LimitOption, PageOption, show, show_page
from shared.contracts.states import Visibility

app = typer.Typer(help="Where an organization keeps its rooms and presets.", no_args_is_help=True)
PATH = "/admin/libraries"

Organization = Annotated[str, typer.Option("--organization", help="The organization's id.")]


@app.command("create")
def create(
    name: str,
    organization: Organization,
    visibility: Visibility = Visibility.PUBLIC,
    as_json: JsonOption = False,
) -> None:
    """Create a library in an organization."""
    body = {"name": name, "organization_id": organization, "visibility": visibility.value}
    show(call("POST", PATH, body=body), as_json=as_json)


@app.command("list")
def list_(
    organization: Annotated[str | None, typer.Option("--organization", help="Only this one's.")] = None,
    page: PageOption = 1,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List libraries, the newest first."""
    answer = call("GET", PATH, organization_id=organization, page=page, limit=limit)
    columns = ["id", "name", "visibility", "is_default", "organization_id"]
    show_page(answer, "libraries", columns, as_json=as_json)


@app.command("show")
def show_one(library_id: str, as_json: JsonOption = False) -> None:
    """Show one library."""
    show(call("GET", f"{PATH}/{library_id}"), as_json=as_json)


@app.command("update")
def update(
    library_id: str,
    name: Annotated[str | None, typer.Option("--name")] = None,
    visibility: Annotated[Visibility | None, typer.Option("--visibility")] = None,
    as_json: JsonOption = False,
) -> None:
    """Rename a library, or show it in public lists or not."""
    body = sent(name=name, visibility=visibility.value if visibility else None)
    show(call("PATCH", f"{PATH}/{library_id}", body=body), as_json=as_json)


@app.command("delete")
def delete(library_id: str) -> None:
    """Delete an empty library."""
    call("DELETE", f"{PATH}/{library_id}")
