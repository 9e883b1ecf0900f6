"""Refusals in 100ms's form: `{"code", "message", "details"}`."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

import orjson
from aiohttp import web

from services.gateway.compat.calls import NativeError
from shared.errors import AppError, FieldError, InvalidRequest

BODY: Final = "Invalid body param"
QUERY: Final = "Invalid query parameter"

# What belongs to a colleague is not of this project.
_NOT_OURS: Final = frozenset({"not_the_host", "host_required"})
# Nothing else is published for what the sender can mend.
_PUBLISHED: Final[Mapping[int, int]] = {
    HTTPStatus.UNPROCESSABLE_ENTITY: HTTPStatus.BAD_REQUEST,
    HTTPStatus.CONFLICT: HTTPStatus.BAD_REQUEST,
}


class NotOffered(AppError):
    """501: 100ms has this operation, Greenroom has nothing like it."""

    status = HTTPStatus.NOT_IMPLEMENTED
    code = "not_offered"


def invalid_body(field: str, message: str) -> InvalidRequest:
    """400 for one field of a body."""
    return InvalidRequest([FieldError(field, "invalid", message)], BODY)


def render_error(error: AppError) -> web.Response:
    """`code` is the HTTP status."""
    status = _status(error)
    message, details = _words(error)
    headers = {"Cache-Control": "no-store", **error.headers}
    return web.Response(
        body=orjson.dumps({"code": status, "message": message, "details": details}),
        status=status,
        headers=headers,
        content_type="application/json",
    )


def _status(error: AppError) -> int:
    if error.code in _NOT_OURS:
        return HTTPStatus.NOT_FOUND
    return _PUBLISHED.get(error.status, error.status)


def _words(error: AppError) -> tuple[str, list[str]]:
    """Message and details."""
    if error.status == HTTPStatus.UNAUTHORIZED:
        return "Token validation error", [error.message]
    if isinstance(error, InvalidRequest):
        return error.message, _details(error.message, error.errors)
    if isinstance(error, NativeError) and error.fields:
        return BODY, _details(BODY, error.fields)
    return error.message, []


def _details(message: str, fields: Sequence[FieldError]) -> list[str]:
    return [f"{message}: {bad.field} {bad.message}".replace(":  ", ": ") for bad in fields]
