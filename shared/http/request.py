"""The request as handlers see it, and the reading of bodies and queries into their models."""

import re
from typing import Final, TypeVar

from aiohttp import web
from multidict import MultiMapping, istr
from pydantic import ValidationError

from shared.access.identity import Caller
from shared.errors import (
    FieldError,
    InvalidRequest,
    NotFound,
    Unauthenticated,
    UnsupportedMediaType,
)
from shared.http.idempotency import Reservation
from shared.http.schema import Body, Query
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
            raise NotFound.of("library")
        return value

    @property
    def client_address(self) -> str:
        """Where the call came from, as the gateway says."""
        return client_address(self.raw)

    def is_awaited(self) -> bool:
        """Whether somebody is still connected to take the answer."""
        return self.raw.transport is not None

    def service(self, key: web.AppKey[V]) -> V:
        return self.raw.app[key]

    def path_id(self, name: str = "id") -> str:
        """The id in the path; raises `NotFound` unless it is a UUID."""
        value = self.raw.match_info[name]
        if not is_id(value):
            raise NotFound("Nothing has this id")
        return value.lower()


def client_address(raw: web.Request) -> str:
    """The client's address: the gateway sends exactly one."""
    return raw.headers.get("X-Forwarded-For", raw.remote or "")


def is_request_id(given: str) -> bool:
    """Whether a client's own request id is well-formed."""
    return _REQUEST_ID.fullmatch(given) is not None


def split_authorization(authorization: str) -> tuple[str, str]:
    """The scheme in lower case, and what follows it."""
    scheme, _, rest = authorization.partition(" ")
    return scheme.lower(), rest.strip()


def bearer_expected() -> Unauthenticated:
    return Unauthenticated("Send Authorization: Bearer <access token>", code="token_invalid")


B = TypeVar("B", bound=Body)
Q = TypeVar("Q", bound=Query)


def parse_body(request: web.Request, raw: bytes, model: type[B]) -> B:
    """The JSON body as `model`, an empty one as {}; raises `InvalidRequest`, `UnsupportedMediaType`.

    Nothing is of no type, whatever a client's library says of it by default (aiohttp, curl -d '').
    """
    if raw:
        _check_content_type(request)
    try:
        return model.model_validate_json(raw or b"{}", strict=True)
    except ValidationError as error:
        raise InvalidRequest(_field_errors(error, root="body")) from None


def parse_query(parameters: MultiMapping[str], model: type[Q]) -> Q:
    """The query as `model`: of a repeated parameter the first value, for a list all of them.

    Raises `InvalidRequest`.
    """
    lists = model.lists()
    given = {name: parameters.getall(name) if name in lists else parameters[name] for name in parameters}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise InvalidRequest(_field_errors(error, root="query"), "The query has invalid fields") from None


def _check_content_type(request: web.Request) -> None:
    if "Content-Type" not in request.headers:
        return
    kind = request.content_type
    if kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMediaType(f"Send application/json, not {kind}")


def _field_errors(error: ValidationError, *, root: str) -> list[FieldError]:
    """One entry per bad field: of several complaints about the same field, the first."""
    found: dict[str, FieldError] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        field = ".".join(map(str, problem["loc"])) or root
        sentence = problem["msg"].removeprefix("Value error, ")
        found.setdefault(field, FieldError(field, problem["type"], sentence))
    return list(found.values())
