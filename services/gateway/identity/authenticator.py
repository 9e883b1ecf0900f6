"""Who is calling, verified once here and proved to the services by the token passed on."""

from collections.abc import Mapping

from services.gateway.http.context import AuthenticatedCaller
from services.gateway.identity.api_keys import ApiKeys
from services.gateway.identity.credentials import read_credentials
from shared.access.identity import TokenVerifier
from shared.errors import Unauthenticated
from shared.http.routes import Access


class Authenticator:
    def __init__(self, verifier: TokenVerifier, keys: ApiKeys):
        self._verifier = verifier
        self._keys = keys

    async def authenticate(self, headers: Mapping[str, str], access: Access) -> AuthenticatedCaller | None:
        """The caller, if any; raises `Unauthenticated` for bad credentials, or for none if some are needed.

        Bad credentials are refused on public operations too: a client that sends them expects them to work;
        but not when signing in, since clients send their expired token along. Permissions are checked by the
        service.
        """
        if not access.authenticates:
            return None
        credentials = read_credentials(headers)
        if credentials is None:
            if access is not Access.PUBLIC:
                raise Unauthenticated()
            return None
        token = credentials if isinstance(credentials, str) else await self._keys.token(credentials)
        return AuthenticatedCaller(self._verifier.verify(token), f"Bearer {token}")
