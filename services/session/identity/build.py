"""Identity, built: accounts, sign-ins, API keys and their revocations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from pydantic import SecretStr

from services.session.identity.accounts.passwords import Passwords
from services.session.identity.accounts.repository import UserRepository
from services.session.identity.accounts.service import AccountService
from services.session.identity.keys.keyring import Keyring
from services.session.identity.keys.repository import ApiKeyRepository
from services.session.identity.keys.service import ApiKeyService
from services.session.identity.organizations.repository import OrganizationRepository
from services.session.identity.revocations.service import RevocationRepository, RevocationService
from services.session.identity.signin.domain import RefreshTokens
from services.session.identity.signin.repository import AuthCodeRepository, SignInRepository
from services.session.identity.signin.service import SignInService
from shared.access.identity import TokenIssuer
from shared.access.revocations import OTHERS_MATTER
from shared.clock import Clock
from shared.persistence.lifetime import Indexed
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.runtime.rotating_secret import RotatingSecret
from shared.runtime.settings import Keys, base64url


class IdentitySettings(Protocol):
    identity_signing_kid: str
    identity_private_key: SecretStr
    refresh_secret: SecretStr
    refresh_previous_secrets: tuple[SecretStr, ...]
    keyring: Keys
    max_duration_seconds: int


@dataclass(frozen=True)
class Identity:
    organizations: OrganizationRepository
    users: UserRepository
    accounts: AccountService
    keys: ApiKeyService
    revocations: RevocationService
    sign_in: SignInService
    issuer: TokenIssuer
    stores: Sequence[Indexed]


def build_identity(
    settings: IdentitySettings, passwords: Passwords, mongo: Mongo, outbox: Outbox, clock: Clock
) -> Identity:
    organizations = OrganizationRepository(mongo, outbox, clock)
    users = UserRepository(mongo, outbox, clock)
    keys = ApiKeyRepository(mongo, outbox, clock)
    # Encoders' keys are used for as long as their session is live, which may be longer than tokens live.
    longest_session = timedelta(seconds=settings.max_duration_seconds) + timedelta(minutes=1)
    revoked = RevocationRepository(mongo, max(OTHERS_MATTER, longest_session))
    sign_ins, codes = SignInRepository(mongo), AuthCodeRepository(mongo)
    private_key = base64url(settings.identity_private_key.get_secret_value())
    issuer = TokenIssuer(private_key, settings.identity_signing_kid, clock)
    refresh_tokens = RefreshTokens(
        RotatingSecret.of(settings.refresh_secret, settings.refresh_previous_secrets)
    )
    revocations = RevocationService(revoked, sign_ins, clock)
    return Identity(
        organizations,
        users,
        AccountService(users, organizations, revocations, passwords, clock),
        ApiKeyService(keys, users, revocations, Keyring(settings.keyring), issuer, clock),
        revocations,
        SignInService(users, keys, sign_ins, codes, passwords, refresh_tokens, issuer, clock),
        issuer,
        [organizations, users, keys, revoked, sign_ins, codes],
    )
