"""`greenroom admin create-administrator`: the first administrator, straight into the database."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from deploy.cli.admin.client import fail


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
    from deploy import administrator
    from services.session.settings import SessionSettings
    from shared.errors import AppError
    from shared.runtime.settings import SettingsRefused, load

    try:
        settings = load(SessionSettings)
        user = asyncio.run(administrator.create_administrator(settings, email, password))
    except SettingsRefused as error:
        fail(str(error))
    except AppError as error:
        fail(error.message)
    if not user.is_admin:
        fail(f"{email} is the address of somebody who is no administrator; nothing was changed.")
    typer.echo(f"{email} is an administrator.")
