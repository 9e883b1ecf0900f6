"""The state of a request while it is handled, and request ids."""

import itertools
from dataclasses import dataclass

from services.gateway.http.client_address import ClientAddress
from services.gateway.routing.router import Endpoint
from shared.access.identity import Caller
from shared.http.request import is_request_id


@dataclass(frozen=True, slots=True)
class AuthenticatedCaller:
    """A caller, and the Authorization header that proves it to a service."""

    caller: Caller
    authorization: str


@dataclass(slots=True)
class RequestContext:
    """`extra_headers` are added to every answer; endpoint and caller are filled in as they become known.

    `path` is what may be logged of it, once its endpoint is known.
    """

    request_id: str
    client: ClientAddress
    extra_headers: dict[str, str]
    path: str = ""
    endpoint: Endpoint | None = None
    authenticated: AuthenticatedCaller | None = None


class RequestIds:
    """Ids of requests: the client's own if well-formed, else `prefix` and a counter.

    `prefix` must be unique to this process; 16 characters or more of [A-Za-z0-9].
    """

    def __init__(self, prefix: str):
        self._prefix = prefix
        self._numbers = itertools.count(1)

    def choose(self, given: str | None) -> str:
        if given is not None and is_request_id(given):
            return given
        return f"{self._prefix}-{next(self._numbers):x}"
