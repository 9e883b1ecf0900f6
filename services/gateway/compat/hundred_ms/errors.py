"""Refusals in 100ms's form: `{"code", "message", "details"}`."""

import orjson
from aiohttp import web

from services.gateway.compat.calls import NativeError
from shared.errors import AppError, FieldError, InvalidRequest


def render_error(error: AppError) -> web.Response:
    """`code` is the HTTP status; what is wrong with a request is answered with 400."""
    fields = _fields(error)
    status = 400 if error.status == 422 else error.status
    details = [f"{bad.field}: {bad.message}" for bad in fields]
    body = {"code": status, "message": error.message, "details": details}
    headers = {"Cache-Control": "no-store", **error.headers}
    return web.Response(
        body=orjson.dumps(body), status=status, headers=headers, content_type="application/json"
    )


def _fields(error: AppError) -> tuple[FieldError, ...]:
    if isinstance(error, InvalidRequest):
        return error.errors
    return error.fields if isinstance(error, NativeError) else ()
