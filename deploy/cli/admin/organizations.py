"""`greenroom admin organizations` and `greenroom admin libraries`."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.cli.admin.client import (
    LimitOption,
    OfOrganizationOption,
    PageOption,
    call,
    show,
    show_page,
    without_none,
)
from deploy.terminal import JsonOption
from shared.contracts.states import Visibility

ORGANIZATIONS, LIBRARIES = "/admin/organizations", "/admin/libraries"

organizations = typer.Typer(help="Tenants of the installation.", no_args_is_help=True)
libraries = typer.Typer(help="Where an organization keeps its rooms and presets.", no_args_is_help=True)


@organizations.command("create")
def create_organization(name: str, as_json: JsonOption = False) -> None:
    """Create an organization with its default library."""
    show(call("POST", ORGANIZATIONS, body={"name": name}), as_json=as_json)


@organizations.command("list")
def list_organizations(page: PageOption = 1, limit: LimitOption = 50, as_json: JsonOption = False) -> None:
    """List organizations, the newest first."""
    answer = call("GET", ORGANIZATIONS, page=page, limit=limit)
    show_page(answer, "organizations", ["id", "name", "default_library_id", "created_at"], as_json=as_json)


@organizations.command("show")
def show_organization(organization_id: str, as_json: JsonOption = False) -> None:
    """Show one organization."""
    show(call("GET", f"{ORGANIZATIONS}/{organization_id}"), as_json=as_json)


@organizations.command("rename")
def rename_organization(organization_id: str, name: str, as_json: JsonOption = False) -> None:
    """Rename an organization."""
    show(call("PATCH", f"{ORGANIZATIONS}/{organization_id}", body={"name": name}), as_json=as_json)


@organizations.command("delete")
def delete_organization(organization_id: str) -> None:
    """Delete an organization that nobody belongs to any longer."""
    call("DELETE", f"{ORGANIZATIONS}/{organization_id}")


@libraries.command("create")
def create_library(
    name: str,
    organization: Annotated[str, typer.Option("--organization", help="The organization's id.")],
    visibility: Visibility = Visibility.PUBLIC,
    as_json: JsonOption = False,
) -> None:
    """Create a library in an organization."""
    body = {"name": name, "organization_id": organization, "visibility": visibility.value}
    show(call("POST", LIBRARIES, body=body), as_json=as_json)


@libraries.command("list")
def list_libraries(
    organization: OfOrganizationOption = None,
    page: PageOption = 1,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List libraries, the newest first."""
    answer = call("GET", LIBRARIES, organization_id=organization, page=page, limit=limit)
    columns = ["id", "name", "visibility", "is_default", "organization_id"]
    show_page(answer, "libraries", columns, as_json=as_json)


@libraries.command("show")
def show_library(library_id: str, as_json: JsonOption = False) -> None:
    """Show one library."""
    show(call("GET", f"{LIBRARIES}/{library_id}"), as_json=as_json)


@libraries.command("update")
def update_library(
    library_id: str,
    name: Annotated[str | None, typer.Option("--name")] = None,
    visibility: Annotated[Visibility | None, typer.Option("--visibility")] = None,
    as_json: JsonOption = False,
) -> None:
    """Rename a library, or show it in public lists or not."""
    body = without_none(name=name, visibility=visibility.value if visibility else None)
    show(call("PATCH", f"{LIBRARIES}/{library_id}", body=body), as_json=as_json)


@libraries.command("delete")
def delete_library(library_id: str) -> None:
    """Delete an empty library."""
    call("DELETE", f"{LIBRARIES}/{library_id}")
