"""Who is calling, verified once here and proved to the services by the token passed on.

API keys are exchanged for internal tokens with the session service, which knows whose they are.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from pydantic import BaseModel

from services.gateway.http.client_address import ClientAddress
from services.gateway.http.context import AuthenticatedCaller
from services.gateway.identity.credentials import (
    ApiKeyCredential,
    ManagementTokenCredential,
    read_credentials,
    refused_key,
    refused_token,
)
from services.gateway.routing.table import Operation
from shared.access.identity import TokenVerifier
from shared.clock import Clock
from shared.errors import Unauthenticated, Unavailable
from shared.http.internal import InternalCalls, InternalClient, UnexpectedStatus, Unreachable
from shared.http.routes import Access
from shared.runtime.ttl_cache import TtlCache

KEYS: Final = "/internal/api-keys/exchange"
MANAGEMENT_TOKENS: Final = "/internal/management-tokens/exchange"
# A deleted key stops within 1 s: an answer is used for _FRESH after it was asked for, or for as long as the
# asking itself may take.
_FRESH: Final = 0.5
_TIMEOUT_SECONDS: Final = 1.0
_REFUSALS: Final = frozenset({400, 401, 403, 404, 422})

KeyCredential = ApiKeyCredential | ManagementTokenCredential


class AttemptLimit(Protocol):
    async def admit(self, client: ClientAddress) -> Callable[[], Awaitable[None]]:
        """Count a key that is tried; what is returned takes it back. Raises `TooManyRequests`."""
        ...


class _Exchanged(BaseModel):
    access_token: str


class ApiKeys:
    """Asks once for all requests with the same key, or the same token of it, at the same time.

    A wrong key costs the session service one question a moment, and one client address only so many.
    """

    def __init__(
        self,
        session_url: str,
        calls: InternalCalls,
        clock: Clock,
        monotonic: Callable[[], float],
        attempts: AttemptLimit,
    ):
        self._client = InternalClient("session", session_url, calls, timeout_seconds=_TIMEOUT_SECONDS)
        self._clock = clock
        self._attempts = attempts
        # None for a key that was refused.
        self._tokens: TtlCache[str | None] = TtlCache(_FRESH, clock=monotonic)

    async def token(self, credential: KeyCredential, client: ClientAddress) -> str:
        """A token for the key's owner; raises `Unauthenticated`, `Unavailable`, `TooManyRequests`."""
        if (
            isinstance(credential, ManagementTokenCredential)
            and credential.expires_at <= self._clock.now().timestamp()
        ):
            raise Unauthenticated("The management token has expired", code="token_expired")
        token = await self._tokens.get(credential.digest, lambda: self._exchange(credential, client))
        if token is None:
            raise refused_key() if isinstance(credential, ApiKeyCredential) else refused_token()
        return token

    async def close(self) -> None:
        await self._tokens.close()
        await self._client.close()

    async def _exchange(self, credential: KeyCredential, client: ClientAddress) -> str | None:
        """None if the key is refused."""
        path, question = _question(credential)
        take_back = await self._attempts.admit(client)
        try:
            token = (await self._client.post(path, _Exchanged, question)).access_token
        except Unavailable as error:
            if isinstance(error, UnexpectedStatus) and error.answered in _REFUSALS:
                return None
            # What was asked in vain counts: else made-up keys cost nothing as soon as they are too many.
            if isinstance(error, Unreachable):
                await take_back()
            raise Unavailable(
                "API keys cannot be checked at the moment", code="session_unavailable"
            ) from error
        await take_back()
        return token


def _question(credential: KeyCredential) -> tuple[str, dict[str, str]]:
    """Where to ask, and what."""
    if isinstance(credential, ApiKeyCredential):
        return KEYS, {"id": credential.id, "secret": credential.secret}
    return MANAGEMENT_TOKENS, {"token": credential.text}


class Authenticator:
    def __init__(self, verifier: TokenVerifier, keys: ApiKeys):
        self._verifier = verifier
        self._keys = keys

    async def authenticate(
        self, headers: Mapping[str, str], operation: Operation, client: ClientAddress
    ) -> AuthenticatedCaller | None:
        """The caller, if any; raises `Unauthenticated` for bad credentials, or for none if some are needed.

        Bad credentials are refused on public operations too: a client that sends them expects them to work;
        but not when signing in, since clients send their expired token along. Permissions are checked by the
        service.
        """
        if not operation.access.authenticates:
            return None
        credentials = read_credentials(headers, operation.policy.credential)
        if credentials is None:
            if operation.access is not Access.PUBLIC:
                raise Unauthenticated()
            return None
        token = credentials if isinstance(credentials, str) else await self._keys.token(credentials, client)
        return AuthenticatedCaller(self._verifier.verify(token), f"Bearer {token}")
