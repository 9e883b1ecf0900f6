"""The parts that all our OpenAPI documents share."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from shared.http.request import CENTRIFUGO_HEADER
from shared.http.routes import Access

Document: TypeAlias = dict[str, Any]

API_VERSION = "1.0.0"
REF: Final = "#/components/schemas/{model}"

_MEANINGS = {
    400: "The session description cannot be used",
    401: "No credentials, or invalid ones",
    403: "The caller may not do this",
    404: "Not found, or it belongs to another organization",
    409: "The resource's state does not allow this",
    412: "ICE was restarted since",
    413: "The body is too large",
    415: "The body is not JSON, or its compression is neither gzip nor deflate",
    416: "The range starts after the end of the file",
    422: "The request has invalid fields, one entry each in `errors`",
    428: "`If-Match` is missing",
    429: "Too many requests; retry after `Retry-After` seconds",
    500: "A bug on our side",
    502: "A service behind the gateway closed the connection early",
    503: "A dependency is unavailable",
    504: "A service behind the gateway did not answer in time",
}
_BEARER: Final = (
    "An access token; or a management token, which a customer's backend signs itself (HS256) with the secret "
    "of its API key. Claims: `access_key` (the key's id), `type` (management), `version` (2), `iat`, `exp` "
    "(14 days later at most), and optionally `nbf` and `jti`."
)

SECURITY_SCHEMES: Final[Mapping[str, Mapping[str, Any]]] = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": _BEARER},
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "An API key as <id>.<secret>",
    },
    "basic": {"type": "http", "scheme": "basic", "description": "An API key's id and secret"},
    "livekit": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "LiveKit's signature of the body",
    },
    "centrifugo": {
        "type": "apiKey",
        "in": "header",
        "name": CENTRIFUGO_HEADER,
        "description": "The secret that Centrifugo sends in a static header",
    },
}


def security(access: Access) -> list[dict[str, list[str]]]:
    """The security requirements of an operation of this access; any one of them suffices."""
    if access in {Access.PUBLIC, Access.ANONYMOUS}:
        return []
    if access is Access.SIGNED:
        return [{"livekit": []}]
    if access is Access.PROXY:
        return [{"centrifugo": []}]
    return [{"bearer": []}, {"apiKey": []}, {"basic": []}]


def document(title: str, paths: Document, schemas: Document) -> Document:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": API_VERSION,
            "description": "Live video sessions around LiveKit.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": dict(sorted({**schemas, "ErrorResponse": _ERROR_SCHEMA}.items())),
            "securitySchemes": {name: dict(scheme) for name, scheme in SECURITY_SCHEMES.items()},
        },
    }


def json_content(schema: Document) -> Document:
    return {"application/json": {"schema": schema}}


def refusal(status: int) -> Document:
    return {
        "description": _MEANINGS[status],
        "content": json_content({"$ref": REF.format(model="ErrorResponse")}),
    }


# Parameters of paths that are no ids.
_TEXTS: Final = frozenset({"path", "token", "key", "connection", "code"})


def path_parameter(name: str) -> Document:
    kind = {"type": "string"} if name in _TEXTS else {"type": "string", "format": "uuid"}
    return {"name": name, "in": "path", "required": True, "schema": kind}


_ERROR_SCHEMA: Document = {
    "type": "object",
    "description": "A refusal; `code` is stable, `error` is for people.",
    "properties": {
        "success": {"const": False},
        "error": {"type": "string"},
        "code": {"type": "string"},
        "message": {"type": "string", "description": "in development only"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("field", "code", "message")},
                "required": ["field", "code", "message"],
            },
        },
        "timestamp": {"type": "integer"},
    },
    "required": ["success", "error", "code", "timestamp"],
}
