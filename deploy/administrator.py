"""The first administrator of an installation, written straight into the session service's database."""

from __future__ import annotations

from services.session.identity.accounts.domain import User
from services.session.identity.accounts.passwords import Passwords
from services.session.identity.accounts.repository import UserRepository
from services.session.identity.accounts.service import AccountService, FirstAdministrator
from services.session.identity.organizations.repository import OrganizationRepository
from services.session.identity.revocations.repository import RevocationRepository
from services.session.identity.revocations.service import RevocationService
from services.session.identity.signin.repository import SignInRepository
from services.session.settings import SessionSettings
from shared.bus.rabbit import RabbitBus
from shared.clock import SystemClock
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox


async def create_administrator(settings: SessionSettings, email: str, password: str) -> User:
    """The new administrator, or whoever has the address already; raises `shared.errors.AppError`."""
    clock = SystemClock()
    mongo = Mongo.from_uri(settings.mongodb_uri)
    # The account's event waits in the database until the session service runs.
    outbox = Outbox(RabbitBus(settings.amqp_url, service="session"), clock, source="/greenroom/session")
    users = UserRepository(mongo, outbox, clock)
    organizations = OrganizationRepository(mongo, outbox, clock)
    try:
        await mongo.check_journal()
        await users.ensure_indexes()
        revocations = RevocationService(RevocationRepository(mongo), SignInRepository(mongo), clock)
        accounts = AccountService(users, organizations, revocations, Passwords(), clock)
        return await accounts.create_first_administrator(FirstAdministrator(email, password))
    finally:
        mongo.close()
