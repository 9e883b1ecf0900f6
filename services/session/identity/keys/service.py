"""Making API keys, and exchanging one for a short internal token."""

import dataclasses
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from services.session.identity.accounts.repository import UserRepository
from services.session.identity.keys import management
from services.session.identity.keys.keyring import Keyring
from services.session.identity.keys.repository import ApiKey, ApiKeyRepository
from services.session.identity.keys.schemas import CreateApiKeyRequest, UpdateApiKeyRequest
from services.session.identity.organizations.repository import of_organization
from services.session.identity.revocations.service import RevocationService
from shared.access.identity import Caller, Scope, TokenIssuer
from shared.clock import Clock
from shared.contracts.event import Event
from shared.contracts.states import UserRole
from shared.errors import FieldError, InvalidRequest, Unauthenticated
from shared.http.schema import Page
from shared.ids import new_secret
from shared.persistence.mongo import Duplicate

_INTERNAL_LIFETIME = timedelta(seconds=60)


class ApiKeyService:
    def __init__(
        self,
        keys: ApiKeyRepository,
        users: UserRepository,
        revocations: RevocationService,
        keyring: Keyring,
        issuer: TokenIssuer,
        clock: Clock,
    ):
        self._keys = keys
        self._users = users
        self._revocations = revocations
        self._keyring = keyring
        self._issuer = issuer
        self._clock = clock

    async def create(self, id: str, body: CreateApiKeyRequest) -> tuple[ApiKey, str]:
        """A new key of a host, and its secret; the same again shows the first one's."""
        owner = await self._users.find(body.user_id)
        if owner is None or owner.role is not UserRole.HOST or owner.organization_id is None:
            raise InvalidRequest([FieldError("user_id", "unknown", "There is no such host")])
        secret = new_secret()
        now = self._clock.now()
        key = ApiKey(
            id=id,
            organization_id=owner.organization_id,
            user_id=owner.id,
            name=body.name,
            sealed_secret=self._keyring.seal(secret, id),
            scopes=body.scopes,
            created_at=now,
            updated_at=now,
        )
        try:
            await self._keys.add(key, [])
        except Duplicate:
            key = await self._keys.get(id)
            secret = self._secret(key)
        return key, secret

    async def get(self, id: str) -> ApiKey:
        return await self._keys.get(id)

    async def list(self, organization_id: str | None, page: Page) -> tuple[list[ApiKey], int]:
        return await self._keys.page(of_organization(organization_id), skip=page.skip, limit=page.limit)

    async def update(self, id: str, body: UpdateApiKeyRequest) -> ApiKey:
        """Change a key; without a scope, what it was given until now stops working within a second."""

        def decide(key: ApiKey) -> Sequence[Event]:
            key.name = key.name if body.name is None else body.name
            key.scopes = key.scopes if body.scopes is None else body.scopes
            key.updated_at = self._clock.now()
            return []

        key = await self._keys.change(id, decide)
        # Also if it had no more before: whoever took a scope away may have failed here, and tries again.
        if body.scopes is not None and not key.may(*Scope):
            await self._revocations.end_tokens(id)
        return key

    async def delete(self, id: str) -> None:
        """Delete a key; it and every sign-in through it stop working within a second."""
        await self._keys.get(id)
        # Revoked first: deleted but not revoked, it could not be deleted again.
        await self._revocations.end_key(id)
        await self._keys.discard(id)

    async def caller(self, id: str) -> Caller:
        """The key as a caller, with what it may do now; raises `Unauthenticated`."""
        key = await self._keys.find(id)
        if key is None:
            raise Unauthenticated("The API key was deleted", code="api_key_gone")
        return await self._caller(key)

    async def exchange(self, id: str, secret: str) -> tuple[str, datetime]:
        """A 60 s access token for the key's owner; raises `Unauthenticated`."""
        key = await self._keys.find(id)
        if key is None or not self._matches(key, secret):
            raise Unauthenticated("The API key is not valid", code="api_key_invalid")
        return await self._act(key, _INTERNAL_LIFETIME)

    async def exchange_management(self, token: str) -> tuple[str, datetime]:
        """As `exchange`, for a token signed with the key's secret, and for no longer than that lives."""
        key = await self._keys.find(management.access_key(token))
        if key is None:
            raise management.refused()
        now = self._clock.now()
        ends_at = management.verify(token, self._secret(key), now)
        return await self._act(key, min(_INTERNAL_LIFETIME, ends_at - now))

    async def _act(self, key: ApiKey, lifetime: timedelta) -> tuple[str, datetime]:
        return self._issuer.issue(await self._caller(key), lifetime)

    async def _caller(self, key: ApiKey) -> Caller:
        owner = await self._users.find(key.user_id)
        if owner is None or not owner.is_active:
            raise Unauthenticated("The owner of the API key is not active", code="api_key_invalid")
        return dataclasses.replace(
            owner.caller(key.id), api_key_id=key.id, is_admin=False, scopes=frozenset(key.scopes)
        )

    def _matches(self, key: ApiKey, secret: str) -> bool:
        return hmac.compare_digest(self._secret(key).encode(), secret.encode())

    def _secret(self, key: ApiKey) -> str:
        return self._keyring.open(key.sealed_secret, key.id)
