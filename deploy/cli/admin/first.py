"""`greenroom admin create-administrator`: the first administrator, straight into the database."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from deploy.cli.admin.client import fail
from services.session.accounts.repository import UserRepository
from services.session.accounts.service import AccountService, FirstAdministrator
from services.session.organizations.repository import OrganizationRepository
from services.session.passwords import Passwords
from services.session.settings import SessionSettings
from services.session.signin.repository import SignInRepository
from shared.bus.rabbit import RabbitBus
from shared.clock import SystemClock
from shared.errors import AppError
from shared.mongo import Mongo
from shared.outbox import Outbox
from shared.settings import SettingsRefused, load


def create_administrator(
    email: str,
    password: Annotated[
        str, typer.Option("--password", prompt=True, hide_input=True, confirmation_prompt=True)
    ],
) -> None:
    """Create the first administrator, with the session service's own settings (GREENROOM_… or YAML).

    Writes to the session service's database; no service needs to run. A taken address changes nothing.
    """
    try:
        asyncio.run(_create(load(SessionSettings), FirstAdministrator(email, password)))
    except SettingsRefused as error:
        fail(str(error))
    except AppError as error:
        fail(error.message)
    typer.echo(f"{email} is an administrator.")


async def _create(settings: SessionSettings, first: FirstAdministrator) -> None:
    clock = SystemClock()
    mongo = Mongo.from_uri(settings.mongodb_uri)
    # The account's event waits in the database until the session service runs.
    outbox = Outbox(RabbitBus(settings.amqp_url, service="session"), clock, source="/greenroom/session")
    users = UserRepository(mongo, outbox, clock)
    organizations = OrganizationRepository(mongo, outbox, clock)
    try:
        await mongo.check_journal()
        await users.ensure_indexes()
        accounts = AccountService(users, organizations, SignInRepository(mongo), Passwords(), clock)
        await accounts.create_first_administrator(first)
    finally:
        mongo.close()
