"""What is done in the session service's database, with that service's own settings (GREENROOM_… or YAML).

No service needs to run. Everything raises `AppError`, and `SettingsRefused` if the settings are wrong.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.session.identity.accounts.domain import User
from services.session.identity.accounts.passwords import Passwords
from services.session.identity.accounts.repository import UserRepository
from services.session.identity.accounts.service import AccountService, FirstAdministrator
from services.session.identity.keys.keyring import Keyring, KeyRotation, reencrypt_secrets
from services.session.identity.keys.repository import ApiKeyRepository
from services.session.identity.organizations.repository import OrganizationRepository
from services.session.identity.revocations.service import RevocationRepository, RevocationService
from services.session.identity.signin.repository import SignInRepository
from services.session.settings import SessionSettings
from shared.bus.rabbit import RabbitBus
from shared.clock import SystemClock
from shared.http.audit import AuditTrail, command_actor
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.runtime.settings import load


@dataclass(frozen=True)
class SessionDatabase:
    """Events in the outbox are published when the session service runs."""

    settings: SessionSettings
    mongo: Mongo
    outbox: Outbox
    clock: SystemClock

    async def record(self, operation: str, *targets: str) -> None:
        """Put what a command did into the audit log."""
        trail = AuditTrail(self.mongo, self.outbox, self.clock, service="session")
        await trail.ensure_indexes()
        await trail.done(operation, command_actor(), *targets)


async def create_administrator(email: str, password: str) -> User:
    """The new administrator, or whoever has the address already."""
    async with _session_database() as db:
        users = UserRepository(db.mongo, db.outbox, db.clock)
        await users.ensure_indexes()
        organizations = OrganizationRepository(db.mongo, db.outbox, db.clock)
        revocations = RevocationService(RevocationRepository(db.mongo), SignInRepository(db.mongo), db.clock)
        accounts = AccountService(users, organizations, revocations, Passwords(), db.clock)
        user, created = await accounts.create_first_administrator(FirstAdministrator(email, password))
        if created:
            await db.record("greenroom admin create-administrator", user.id)
        return user


async def reseal_all() -> KeyRotation:
    """Seal every API key's secret under the newest key of the keyring.

    Raises LookupError with the id of a key that the keyring does not have.
    """
    async with _session_database() as db:
        keys = ApiKeyRepository(db.mongo, db.outbox, db.clock)
        rotation = await reencrypt_secrets(keys, Keyring(db.settings.keyring))
        await db.record("greenroom keys reseal")
        return rotation


@asynccontextmanager
async def _session_database() -> AsyncIterator[SessionDatabase]:
    settings, clock = load(SessionSettings), SystemClock()
    mongo = Mongo.from_uri(settings.mongodb_uri)
    outbox = Outbox(RabbitBus(settings.amqp_url, service="session"), clock, source="/greenroom/session")
    try:
        await mongo.check_journal()
        yield SessionDatabase(settings, mongo, outbox, clock)
    finally:
        mongo.close()
