"""The request as handlers see it: who calls, in which library, and what was sent."""

import re
from typing import Final, TypeVar

from aiohttp import web
from multidict import istr

from shared.access.identity import Caller
from shared.errors import NotFound, Unauthenticated
from shared.http.idempotency import Reservation
from shared.ids import is_id

V = TypeVar("V")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")

REQUEST_ID_HEADER: Final = istr("X-Request-Id")
# Set by the gateway for calls under /libraries/{library_id}; it can only narrow.
LIBRARY_HEADER: Final = "X-Greenroom-Library"
# Proves that the call is from Centrifugo.
CENTRIFUGO_HEADER: Final = "X-Centrifugo-Secret"


class Request:
    """One call of an operation. `viewer` is the authenticated caller, if any; `caller` requires one."""

    def __init__(self, raw: web.Request, viewer: Caller | None, reservation: Reservation):
        self.raw = raw
        self.viewer = viewer
        self.reservation = reservation

    @property
    def caller(self) -> Caller:
        if self.viewer is None:
            raise Unauthenticated()
        return self.viewer

    @property
    def library_id(self) -> str | None:
        """The library this call is confined to, if any."""
        value = self.raw.headers.get(LIBRARY_HEADER)
        if value is not None and not is_id(value):
            raise NotFound("There is no such library", code="library_not_found")
        return value

    def service(self, key: web.AppKey[V]) -> V:
        return self.raw.app[key]

    def path_id(self, name: str = "id") -> str:
        """The id in the path; what is no UUID names nothing, hence `NotFound`."""
        value = self.raw.match_info[name]
        if not is_id(value):
            raise NotFound("Nothing has this id")
        return value.lower()


def is_request_id(given: str) -> bool:
    """Whether a client's own request id is well-formed."""
    return _REQUEST_ID.fullmatch(given) is not None


def split_authorization(authorization: str) -> tuple[str, str]:
    """The scheme in lower case, and what follows it."""
    scheme, _, rest = authorization.partition(" ")
    return scheme.lower(), rest.strip()


def bearer_expected() -> Unauthenticated:
    return Unauthenticated("Send Authorization: Bearer <access token>", code="token_invalid")
