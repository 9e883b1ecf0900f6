"""`greenroom admin`: an administrator's commands, through the same routes that the API has."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.cli.admin import audit, organizations, users
from deploy.terminal import fail, run_or_fail

HELP = """Administer organizations, libraries, users and API keys.

On the local stack (GREENROOM_DATA_DIR, or .local), or the gateway at GREENROOM_BASE_URL, signed in as
GREENROOM_ADMIN_EMAIL with GREENROOM_ADMIN_PASSWORD.
"""

app = typer.Typer(help=HELP, no_args_is_help=True)
app.add_typer(organizations.organizations, name="organizations")
app.add_typer(organizations.libraries, name="libraries")
app.add_typer(users.users, name="users")
app.add_typer(users.api_keys, name="api-keys")
app.command("audit")(audit.audit)


@app.command("create-administrator")
def create_administrator(
    email: str,
    password: Annotated[
        str, typer.Option("--password", prompt=True, hide_input=True, confirmation_prompt=True)
    ],
) -> None:
    """Create the first administrator, with the session service's own settings (GREENROOM_… or YAML).

    Writes to the session service's database; no service needs to run. A taken address changes nothing.
    """
    # Imported late: the session service comes with it, which the other commands need not wait for.
    from deploy import session_database

    user = run_or_fail(session_database.create_administrator(email, password))
    if not user.is_admin:
        fail(f"{email} is the address of somebody who is no administrator; nothing was changed.")
    typer.echo(f"{email} is an administrator.")
