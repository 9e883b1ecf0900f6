"""Who is calling, found out once at the door and proved to the services by the token passed on."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.gateway.identity.api_keys import ApiKeys
from services.gateway.identity.credentials import read_credentials
from shared.access.identity import Caller, TokenVerifier
from shared.errors import Unauthenticated
from shared.http.routes import Access

# Where no credentials of a user are asked for or looked at.
_UNIDENTIFIED = frozenset({Access.ANONYMOUS, Access.SIGNED, Access.PROXY})


@dataclass(frozen=True, slots=True)
class Identified:
    """A caller, and the Authorization header that proves it to a service."""

    caller: Caller
    authorization: str


class Identities:
    def __init__(self, verifier: TokenVerifier, keys: ApiKeys):
        self._verifier = verifier
        self._keys = keys

    async def identify(self, headers: Mapping[str, str], access: Access) -> Identified | None:
        """The caller, if any; raises `Unauthenticated` for bad credentials, or none where some are needed.

        Bad credentials are refused on public operations too: whoever sends them expects them to work;
        but not where one signs in, since clients send an expired token along to be given a new one.
        What somebody may do is decided by the service.
        """
        if access in _UNIDENTIFIED:
            return None
        shown = read_credentials(headers)
        if shown is None:
            if access is not Access.PUBLIC:
                raise Unauthenticated()
            return None
        token = shown if isinstance(shown, str) else await self._keys.token(shown)
        return Identified(self._verifier.verify(token), f"Bearer {token}")
