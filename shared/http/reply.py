"""Answers: the envelope around data, and around refusals."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel

from shared.errors import AppError, FieldError, InvalidRequest, NotFound
from shared.runtime.health import Health
from shared.runtime.metrics_page import metrics_page

T = TypeVar("T")

JSON = "application/json"


@dataclass(frozen=True)
class Reply(Generic[T]):
    """A handler's answer: `data` for the envelope; `status` None means the route's own."""

    data: T
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Bare(Generic[T]):
    """A handler's answer in a foreign protocol: `data` without the envelope, nulls left out."""

    data: T


def ok() -> Reply[None]:
    """Done, and nothing to say about it."""
    return Reply(None)


def created(data: T) -> Reply[T]:
    return Reply(data, status=201)


def render(reply: Reply[object], status: int) -> web.Response:
    """The response of a handler's reply, in the success envelope."""
    data = reply.data
    encoded = data.model_dump_json().encode() if isinstance(data, BaseModel) else orjson.dumps(data)
    body = b'{"success":true,"data":%b,"timestamp":%d}' % (encoded, int(time.time()))
    return web.Response(body=body, status=reply.status or status, headers=reply.headers, content_type=JSON)


def render_bare(bare: Bare[BaseModel], status: int) -> web.Response:
    body = bare.data.model_dump_json(exclude_none=True).encode()
    return web.Response(body=body, status=status, content_type=JSON)


def render_error(error: AppError, *, development: bool) -> web.Response:
    """The response of a refusal, in the error envelope.

    Nobody is to keep it: caches keep a bare 404 for minutes (RFC 9110, section 15.5.5), and what is not
    there now, as a stream's first playlist, may be there in a second.
    """
    fields = error.errors if isinstance(error, InvalidRequest) else ()
    body = error_body(error.message, error.code, fields, development=development)
    headers = {"Cache-Control": "no-store", **error.headers}
    return web.Response(body=body, status=error.status, headers=headers, content_type=JSON)


def render_failure(status: int, message: str, code: str, *, development: bool) -> web.Response:
    """The response for a bug, or an error of aiohttp's, in the error envelope."""
    body = error_body(message, code, development=development)
    return web.Response(body=body, status=status, content_type=JSON)


def etag_matches(if_none_match: Iterable[str], etag: str) -> bool:
    """Whether the client has it already, by all lines of the header (RFC 9110, 13.1.2, compared weakly)."""
    tags = {tag.strip().removeprefix("W/") for tag in ",".join(if_none_match).split(",")}
    return "*" in tags or etag.removeprefix("W/") in tags


def error_body(message: str, code: str, errors: Sequence[FieldError] = (), *, development: bool) -> bytes:
    """The error envelope as JSON; `message` repeats the sentence in development only."""
    envelope: dict[str, object] = {"success": False, "error": message, "code": code}
    if development:
        envelope["message"] = message
    if errors:
        envelope["errors"] = [
            {"field": bad.field, "code": bad.code, "message": bad.message} for bad in errors
        ]
    envelope["timestamp"] = int(time.time())
    return orjson.dumps(envelope)


def alive() -> web.Response:
    return web.json_response({"status": "alive"})


async def readiness(health: Health, exclude: Collection[str] = ()) -> web.Response:
    """200, or 503 while a dependency is away that is not in `exclude`."""
    ready, document = await health.readiness(exclude)
    return web.json_response(document, status=200 if ready else 503)


async def metrics(health: Health) -> web.Response:
    """The process's metrics, unless they are on a port of their own."""
    if health.metrics_apart:
        raise NotFound("Metrics are on another port")
    return await metrics_page(health)
