"""The OpenAPI document of the whole API: the services' own documents and the gateway's, merged."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
import structlog
from aiohttp import ClientError, web

from services.gateway.routing.target import RequestTarget
from services.gateway.upstreams.pools import Pool, Upstreams
from shared.errors import Unavailable
from shared.http.openapi_merge import merge_documents
from shared.http.openapi_parts import Document

log = structlog.get_logger(__name__)

_DEADLINE: Final = 2.0


def public_document(services: Sequence[Mapping[str, Any]]) -> Document:
    """What /openapi.json answers, made of the services' documents (session, egress, attendance)."""
    return merge_documents([*services, own_document()])


def own_document() -> Document:
    """The operations that the gateway itself answers to the public."""
    states = {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/ServiceHealth"}}
    data = {
        "type": "object",
        "properties": {"status": {"enum": ["ok", "degraded"]}, "services": states},
        "required": ["status", "services"],
    }
    healthy = {"success": {"const": True}, "data": data, "timestamp": {"type": "integer"}}
    degraded = healthy | {
        "success": {"const": False},
        "error": {"type": "string"},
        "code": {"const": "degraded"},
    }
    operation = {
        "operationId": "health",
        "tags": ["Health"],
        "summary": "Health check",
        "description": "Asks every service; 503 if one is not ready.",
        "x-access": "public",
        "responses": {
            "200": _answer("Every service is ready", healthy),
            "503": _answer("A service is not ready", degraded),
        },
    }
    return {
        "paths": {"/health": {"get": operation}},
        "components": {"schemas": {"ServiceHealth": _SERVICE_HEALTH}},
    }


def _answer(description: str, properties: Mapping[str, Any]) -> Document:
    schema = {"type": "object", "properties": dict(properties), "required": list(properties)}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_SERVICE_HEALTH: Final[Document] = {
    "type": "object",
    "properties": {
        "status": {"enum": ["ok", "unavailable", "unreachable"]},
        "dependencies": {"type": "object", "additionalProperties": {"enum": ["ok", "unavailable"]}},
    },
    "required": ["status", "dependencies"],
}


class DocumentOperation:
    """/openapi.json: fetched from the services when first asked for, and kept once it is complete."""

    def __init__(self, upstreams: Upstreams):
        self._upstreams = upstreams
        self._fetching = asyncio.Lock()
        self._encoded: bytes | None = None

    async def openapi(self, _: web.BaseRequest, __: RequestTarget) -> web.StreamResponse:
        """Raises `Unavailable` if a service does not answer: half a document would pass for the whole."""
        async with self._fetching:
            if self._encoded is None:
                documents = await asyncio.gather(*map(_fetch, self._upstreams.all))
                self._encoded = orjson.dumps(public_document(documents))
        return web.Response(body=self._encoded, content_type="application/json")


async def _fetch(pool: Pool) -> Document:
    try:
        async with asyncio.timeout(_DEADLINE), pool.http.get(pool.url("/openapi.json")) as answer:
            answer.raise_for_status()
            document: Document = orjson.loads(await answer.read())
            return document
    except (TimeoutError, ClientError, OSError, ValueError) as error:
        raise Unavailable(f"The {pool.name} service's API document is unavailable") from error
