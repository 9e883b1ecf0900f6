"""How one may sign in, in the words of OpenAPI."""

from collections.abc import Mapping
from typing import Any, Final

from shared.http.request import CENTRIFUGO_HEADER
from shared.http.routes import Access

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
    """What an operation of this access asks for, any one of them."""
    if access in {Access.PUBLIC, Access.ANONYMOUS}:
        return []
    if access is Access.SIGNED:
        return [{"livekit": []}]
    if access is Access.PROXY:
        return [{"centrifugo": []}]
    return [{"bearer": []}, {"apiKey": []}, {"basic": []}]
