"""`greenroom admin users` and `greenroom admin api-keys`."""

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
from shared.contracts.states import UserRole

USERS, API_KEYS = "/admin/users", "/admin/api-keys"

users = typer.Typer(help="Hosts, viewers and administrators.", no_args_is_help=True)
api_keys = typer.Typer(help="Keys that act for a host.", no_args_is_help=True)


@users.command("create")
def create_user(
    email: str,
    username: Annotated[str, typer.Option("--username", help="The name that others see.")],
    password: Annotated[
        str, typer.Option("--password", prompt=True, hide_input=True, help="Asked for if it is not given.")
    ],
    organization: Annotated[str | None, typer.Option("--organization", help="The organization's id.")] = None,
    role: UserRole = UserRole.HOST,
    admin: Annotated[bool, typer.Option("--admin", help="An administrator of the installation.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Create a user who signs in with e-mail and password."""
    body = {
        "email": email,
        "username": username,
        "password": password,
        "organization_id": organization,
        "role": role.value,
        "is_admin": admin,
    }
    show(call("POST", USERS, body=body), as_json=as_json)


@users.command("list")
def list_users(
    organization: OfOrganizationOption = None,
    page: PageOption = 1,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List users, the newest first."""
    answer = call("GET", USERS, organization_id=organization, page=page, limit=limit)
    columns = ["id", "email", "username", "role", "is_admin", "is_active"]
    show_page(answer, "users", columns, as_json=as_json)


@users.command("show")
def show_user(user_id: str, as_json: JsonOption = False) -> None:
    """Show one user."""
    show(call("GET", f"{USERS}/{user_id}"), as_json=as_json)


@users.command("update")
def update_user(
    user_id: str,
    username: Annotated[str | None, typer.Option("--username")] = None,
    password: Annotated[str | None, typer.Option("--password", help="Ends the user's sign-ins.")] = None,
    active: Annotated[bool | None, typer.Option("--active/--inactive")] = None,
    admin: Annotated[bool | None, typer.Option("--admin/--no-admin")] = None,
    as_json: JsonOption = False,
) -> None:
    """Change a user."""
    body = without_none(username=username, password=password, is_active=active, is_admin=admin)
    show(call("PATCH", f"{USERS}/{user_id}", body=body), as_json=as_json)


@users.command("delete")
def delete_user(user_id: str) -> None:
    """Delete a user; what they made stays with the organization."""
    call("DELETE", f"{USERS}/{user_id}")


@api_keys.command("create")
def create_api_key(
    name: str,
    user: Annotated[str, typer.Option("--user", help="The id of the host it acts for.")],
    as_json: JsonOption = False,
) -> None:
    """Create an API key; its secret is shown only now."""
    show(call("POST", API_KEYS, body={"name": name, "user_id": user}), as_json=as_json)


@api_keys.command("list")
def list_api_keys(
    organization: OfOrganizationOption = None,
    page: PageOption = 1,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List API keys, the newest first."""
    answer = call("GET", API_KEYS, organization_id=organization, page=page, limit=limit)
    show_page(answer, "api_keys", ["id", "name", "user_id", "organization_id", "created_at"], as_json=as_json)


@api_keys.command("show")
def show_api_key(api_key_id: str, as_json: JsonOption = False) -> None:
    """Show one API key, without its secret."""
    show(call("GET", f"{API_KEYS}/{api_key_id}"), as_json=as_json)


@api_keys.command("rename")
def rename_api_key(api_key_id: str, name: str, as_json: JsonOption = False) -> None:
    """Rename an API key."""
    show(call("PATCH", f"{API_KEYS}/{api_key_id}", body={"name": name}), as_json=as_json)


@api_keys.command("delete")
def delete_api_key(api_key_id: str) -> None:
    """Delete an API key; it stops working within a second."""
    call("DELETE", f"{API_KEYS}/{api_key_id}")
