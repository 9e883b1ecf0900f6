"""`greenroom admin users`."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.cli.admin.client import call, sent
from deploy.cli.admin.output import JsonOption, LimitOption, PageOption, show, show_page
from shared.contracts.states import UserRole

app = typer.Typer(help="Hosts, viewers and administrators.", no_args_is_help=True)
PATH = "/admin/users"

Password = Annotated[
    str, typer.Option("--password", prompt=True, hide_input=True, help="Asked for where it is not given.")
]


@app.command("create")
def create(
    email: str,
    username: Annotated[str, typer.Option("--username", help="The name that others see.")],
    password: Password,
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
    show(call("POST", PATH, body=body), as_json=as_json)


@app.command("list")
def list_(
    organization: Annotated[str | None, typer.Option("--organization", help="Only this one's.")] = None,
    page: PageOption = 1,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List users, the newest first."""
    answer = call("GET", PATH, organization_id=organization, page=page, limit=limit)
    columns = ["id", "email", "username", "role", "is_admin", "is_active"]
    show_page(answer, "users", columns, as_json=as_json)


@app.command("show")
def show_one(user_id: str, as_json: JsonOption = False) -> None:
    """Show one user."""
    show(call("GET", f"{PATH}/{user_id}"), as_json=as_json)


@app.command("update")
def update(
    user_id: str,
    username: Annotated[str | None, typer.Option("--username")] = None,
    password: Annotated[str | None, typer.Option("--password", help="Ends the user's sign-ins.")] = None,
    active: Annotated[bool | None, typer.Option("--active/--inactive")] = None,
    admin: Annotated[bool | None, typer.Option("--admin/--no-admin")] = None,
    as_json: JsonOption = False,
) -> None:
    """Change a user."""
    body = sent(username=username, password=password, is_active=active, is_admin=admin)
    show(call("PATCH", f"{PATH}/{user_id}", body=body), as_json=as_json)


@app.command("delete")
def delete(user_id: str) -> None:
    """Delete a user; what they made stays with the organization."""
    call("DELETE", f"{PATH}/{user_id}")
