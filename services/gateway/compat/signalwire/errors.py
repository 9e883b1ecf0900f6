"""Refusals in SignalWire's form."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Final

import orjson
from aiohttp import web

from services.gateway.compat.calls import NativeError
from shared.errors import AppError, FieldError, InvalidRequest

_CODES_DOCUMENT: Final = "https://developer.signalwire.com/rest/overview/error-codes/#"
# What a native code means to SignalWire's clients: attribute, code, message.
_NATIVE: Final[Mapping[str, FieldError]] = {
    "room_name_taken": FieldError("name", "not_unique_within_project", "must be unique within project"),
    "join_closed": FieldError(
        "join_until", "invalid_join_until_date", "must be in the future, as the room's and remove_at must"
    ),
}
# Native field -> attribute; attribute -> code, if it is not invalid_parameter.
_ATTRIBUTES: Final[Mapping[str, str]] = {
    "title": "display_name",
    "metadata": "meta",
    "room_name_contains": "room_name_matches",
}
_CODES: Final[Mapping[str, str]] = {"join_until": "invalid_join_until_date"}
# What belongs to a colleague is not of this project.
_NOT_OURS: Final = frozenset({"not_the_host", "host_required"})


def invalid(attribute: str, code: str, message: str) -> InvalidRequest:
    """422 for one attribute, with one of SignalWire's codes."""
    return InvalidRequest([FieldError(attribute, code, message)])


@contextmanager
def renaming(attributes: Mapping[str, str]) -> Iterator[None]:
    """Within it, a service's complaints about these fields name the attributes that they were made from."""
    try:
        yield
    except NativeError as error:
        error.fields = tuple(replace(bad, field=attributes.get(bad.field, bad.field)) for bad in error.fields)
        raise


def render_error(error: AppError) -> web.Response:
    """`{"errors": [...]}` with 422 for what is wrong with a request, else `{"error": "<reason>"}`."""
    entries = _entries(error)
    status = 422 if entries else _status(error)
    body: dict[str, object] = {"errors": [_rendered(entry) for entry in entries]}
    if not entries:
        body = {"error": _reason(status)}
    headers = {"Cache-Control": "no-store", **error.headers}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="Video API"'
    return web.Response(
        body=orjson.dumps(body), status=status, headers=headers, content_type="application/json"
    )


def _entries(error: AppError) -> Sequence[FieldError]:
    if isinstance(error, InvalidRequest):
        return error.errors
    if not isinstance(error, NativeError):
        return ()
    known = _NATIVE.get(error.code)
    if known is not None:
        return (known,)
    if error.status == HTTPStatus.CONFLICT:
        return (FieldError("", "invalid_parameter", error.message),)
    return [_translated(bad) for bad in error.fields]


def _translated(bad: FieldError) -> FieldError:
    attribute = _ATTRIBUTES.get(bad.field, bad.field)
    return FieldError(attribute, _CODES.get(attribute, "invalid_parameter"), bad.message)


def _rendered(entry: FieldError) -> dict[str, str | None]:
    return {
        "type": "validation_error",
        "code": entry.code,
        "message": entry.message,
        "attribute": entry.field or None,
        "url": _CODES_DOCUMENT + entry.code,
    }


def _status(error: AppError) -> int:
    return HTTPStatus.NOT_FOUND if error.code in _NOT_OURS else error.status


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return HTTPStatus(status // 100 * 100).phrase
