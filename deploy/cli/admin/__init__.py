"""`greenroom admin`: what an administrator does, through the same routes that the API has."""

from __future__ import annotations

import typer

from deploy.cli.admin import api_keys, first, libraries, organizations, users

HELP = """Administer organizations, libraries, users and API keys.

On the local stack (GREENROOM_DATA_DIR, or .local), or where GREENROOM_BASE_URL says, signed in as
GREENROOM_ADMIN_EMAIL with GREENROOM_ADMIN_PASSWORD.
"""

app = typer.Typer(help=HELP, no_args_is_help=True)
app.add_typer(organizations.app, name="organizations")
app.add_typer(libraries.app, name="libraries")
app.add_typer(users.app, name="users")
app.add_typer(api_keys.app, name="api-keys")
app.command("create-administrator")(first.create_administrator)
