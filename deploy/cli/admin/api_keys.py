"""`greenroom admin api-keys`."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.cli.admin.client import call
from deploy.cli.admin.output import JsonOption, LimitOption, PageOption, show, show_page

app = typer.Typer(help="Keys that act for a host.", no_args_is_help=True)
PATH = "/admin/api-keys"


@app.command("create")
def create(
    name: str,
    user: Annotated[str, typer.Option("--user", help="The id of the host it acts for.")],
    as_json: JsonOption = False,
) -> None:
    """Create an API key; its secret is shown only now."""
    show(call("POST", PATH, body={"name": name, "user_id": user}), as_json=as_json)


@app.command("list")
def list_(
    organization: Annotated[str | None, typer.Option("--organization", help="Only this one's.")] = None,
    page: PageOption = 1,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List API keys, the newest first."""
    answer = call("GET", PATH, organization_id=organization, page=page, limit=limit)
    show_page(answer, "api_keys", ["id", "name", "user_id", "organization_id", "created_at"], as_json=as_json)


@app.command("show")
def show_one(api_key_id: str, as_json: JsonOption = False) -> None:
    """Show one API key, without its secret."""
    show(call("GET", f"{PATH}/{api_key_id}"), as_json=as_json)


@app.command("rename")
def rename(api_key_id: str, name: str, as_json: JsonOption = False) -> None:
    """Rename an API key."""
    show(call("PATCH", f"{PATH}/{api_key_id}", body={"name": name}), as_json=as_json)


@app.command("delete")
def delete(api_key_id: str) -> None:
    """Delete an API key; it stops working within a second."""
    call("DELETE", f"{PATH}/{api_key_id}")
