"""`greenroom admin organizations`."""

from __future__ import annotations

import typer

from deploy.cli.admin.client import call
from deploy.cli.admin.output import JsonOption, LimitOption, PageOption, show, show_page

app = typer.Typer(help="Tenants of the installation.", no_args_is_help=True)
PATH = "/admin/organizations"


@app.command("create")
def create(name: str, as_json: JsonOption = False) -> None:
    """Create an organization with its default library."""
    show(call("POST", PATH, body={"name": name}), as_json=as_json)


@app.command("list")
def list_(page: PageOption = 1, limit: LimitOption = 50, as_json: JsonOption = False) -> None:
    """List organizations, the newest first."""
    answer = call("GET", PATH, page=page, limit=limit)
    show_page(answer, "organizations", ["id", "name", "default_library_id", "created_at"], as_json=as_json)


@app.command("show")
def show_one(organization_id: str, as_json: JsonOption = False) -> None:
    """Show one organization."""
    show(call("GET", f"{PATH}/{organization_id}"), as_json=as_json)


@app.command("rename")
def rename(organization_id: str, name: str, as_json: JsonOption = False) -> None:
    """Rename an organization."""
    show(call("PATCH", f"{PATH}/{organization_id}", body={"name": name}), as_json=as_json)


@app.command("delete")
def delete(organization_id: str) -> None:
    """Delete an organization that nobody belongs to any more."""
    call("DELETE", f"{PATH}/{organization_id}")
