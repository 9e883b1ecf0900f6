"""Reading what was sent: bodies and query parameters into their models, or one error per bad field."""

from collections.abc import Mapping
from typing import TypeVar

from aiohttp import web
from pydantic import ValidationError

from shared.errors import FieldError, InvalidRequest, TooLarge, UnsupportedMediaType
from shared.http.schema import Body, Query

B = TypeVar("B", bound=Body)
Q = TypeVar("Q", bound=Query)


async def read_bytes(request: web.Request) -> bytes:
    """The raw body; raises `TooLarge` beyond the application's limit, `InvalidRequest` if it is malformed."""
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge("The body is too large") from error
    except web.RequestPayloadError as error:
        broken = FieldError("body", "body_malformed", "is not encoded as Content-Encoding says")
        raise InvalidRequest([broken], "The body cannot be read") from error


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


def parse_query(parameters: Mapping[str, str], model: type[Q]) -> Q:
    try:
        return model.model_validate(dict(parameters))
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
