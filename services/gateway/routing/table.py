"""The route table: every operation that can be reached from outside, and what the gateway adds to it.

The operations are those that the services declare: `operations.json`, which `greenroom openapi` writes. An
operation that is not in it cannot be reached; a test compares it with the declarations.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import orjson

from shared.http.files import LARGEST_FILE
from shared.http.routes import PUBLIC, Access

DEFAULT_BODY_LIMIT: Final = 1024 * 1024


class Upstream(StrEnum):
    """Who answers an operation."""

    SESSION = "session"
    EGRESS = "egress"
    ATTENDANCE = "attendance"
    GATEWAY = "gateway"
    # By the gateway too, out of operations of the services.
    COMPAT = "compat"


class CredentialForm(StrEnum):
    """The form in which an API key is shown."""

    BASIC = "basic"
    MANAGEMENT = "management token"


class PersonalLimit(StrEnum):
    """What is counted by person, since it reaches everybody in a session."""

    CHAT = "chat"
    ACTIONS = "actions"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the gateway adds to an operation.

    `body_limit` is in bytes; `deadline` in seconds, None for the gateway's own setting. A `sign_in` with a
    password is slowed when it fails often, and so is what `takes_code`. The answer of a `cached` one
    to anonymous clients is kept for a second. `personal`: the limit it also counts against, by person. Writes
    with `keeps_cache` arrive in crowds and change nothing that such an answer shows immediately: they do not
    drop cached answers. An `is_download` is answered with a file, for which the client waits its turn.
    `credential` is the only form in which credentials are accepted; None accepts all.
    """

    body_limit: int = DEFAULT_BODY_LIMIT
    deadline: float | None = None
    sign_in: bool = False
    takes_code: bool = False
    cached: bool = False
    personal: PersonalLimit | None = None
    keeps_cache: bool = False
    is_download: bool = False
    credential: CredentialForm | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """`mirrored` ones also exist under /libraries/{library_id}; `idempotent` ones accept an Idempotency-Key.

    `secret` are the path's parameters that no log may show.
    """

    method: str
    path: str
    upstream: Upstream
    access: Access
    mirrored: bool = False
    policy: Policy = Policy()
    secret: tuple[str, ...] = ()
    idempotent: bool = False


OPERATIONS: Final = Path(__file__).parent / "operations.json"

_FORM: Final = 8 * 1024
_DESCRIPTION: Final = Policy(body_limit=64 * 1024, keeps_cache=True)
# No body of theirs is so long that it would wait for a place among the uploads instead.
_DOWNLOAD: Final = Policy(body_limit=_FORM, is_download=True)
_CACHED: Final = Policy(cached=True)
_AUDIENCE: Final = Policy(body_limit=_FORM, keeps_cache=True)
_ACTION: Final = Policy(body_limit=_FORM, keeps_cache=True, personal=PersonalLimit.ACTIONS)
_POLICIES: Final = {
    "POST /auth/login": Policy(body_limit=_FORM, sign_in=True, keeps_cache=True),
    "POST /auth/refresh": _AUDIENCE,
    "POST /auth/viewer/register": _AUDIENCE,
    "POST /auth/viewer/device-login": _AUDIENCE,
    "POST /auth/exchange-code": _AUDIENCE,
    "POST /auth/generate-code": Policy(body_limit=_FORM, personal=PersonalLimit.ACTIONS),
    "POST /auth/logout": _AUDIENCE,
    "POST /rooms/{id}/reminders": _ACTION,
    "DELETE /rooms/{id}/reminders": _ACTION,
    "POST /rooms/{id}/reminders/confirm": _AUDIENCE,
    "POST /rooms/{id}/reminders/unsubscribe": _AUDIENCE,
    "GET /rooms": _CACHED,
    "GET /rooms/{id}": _CACHED,
    "GET /sessions": _CACHED,
    "GET /sessions/live": _CACHED,
    "GET /sessions/{id}": _CACHED,
    "POST /sessions/{id}/join": _ACTION,
    "POST /sessions/{id}/leave": _AUDIENCE,
    # Customers request one for each of their viewers.
    "POST /sessions/{id}/tokens": _AUDIENCE,
    "POST /rooms/{id}/tokens": _AUDIENCE,
    "POST /room_codes/{code}/exchange": Policy(body_limit=_FORM, takes_code=True, keeps_cache=True),
    "POST /sessions/{id}/host_video_state": Policy(body_limit=_FORM, personal=PersonalLimit.ACTIONS),
    "POST /sessions/{id}/host_audio_state": Policy(body_limit=_FORM, personal=PersonalLimit.ACTIONS),
    "GET /sessions/{id}/stage/token": Policy(personal=PersonalLimit.ACTIONS),
    "POST /sessions/{id}/stage/leave": Policy(body_limit=_FORM, personal=PersonalLimit.ACTIONS),
    "DELETE /sessions/{id}/room/participants": _AUDIENCE,
    "PATCH /sessions/{id}/room/participants/{connection_id}": Policy(body_limit=64 * 1024),
    "DELETE /sessions/{id}/room/participants/{connection_id}": _AUDIENCE,
    "POST /sessions/{id}/room/messages": Policy(
        body_limit=64 * 1024, personal=PersonalLimit.CHAT, keeps_cache=True
    ),
    "POST /sessions/{id}/raise_hand": _ACTION,
    "POST /sessions/{id}/lower_hand": _ACTION,
    "POST /sessions/{id}/join_requests": _ACTION,
    "POST /sessions/{id}/chat": Policy(personal=PersonalLimit.CHAT, keeps_cache=True),
    "POST /sessions/{id}/chat/files": Policy(
        personal=PersonalLimit.CHAT, body_limit=LARGEST_FILE, keeps_cache=True
    ),
    "DELETE /sessions/{id}/chat/{message_id}": _AUDIENCE,
    "POST /sessions/{id}/polls": Policy(personal=PersonalLimit.ACTIONS),
    "POST /polls/{id}/vote": _ACTION,
    # An encoder's session description, and its candidates one by one.
    "POST /whip": _DESCRIPTION,
    "POST /whip/{key}": _DESCRIPTION,
    "PATCH /whip/{key}/{connection}": _DESCRIPTION,
    "DELETE /whip/{key}/{connection}": _AUDIENCE,
    # What LiveKit reports and Centrifugo asks, for each participant.
    "POST /webhooks/livekit": Policy(keeps_cache=True),
    "POST /centrifugo/connect": Policy(keeps_cache=True),
    "POST /centrifugo/refresh": Policy(keeps_cache=True),
    "POST /centrifugo/subscribe": Policy(keeps_cache=True),
    "GET /chat/files/{token}/{id}": _DOWNLOAD,
    "GET /sessions/{id}/chat/export": _DOWNLOAD,
    "GET /hls/{path:.+}": _DOWNLOAD,
    "GET /sessions/{id}/preview.jpg": _DOWNLOAD,
    "GET /recordings/{id}/file": _DOWNLOAD,
    # A spreadsheet is made before its first byte is sent.
    "GET /sessions/{id}/attendance/export": Policy(body_limit=_FORM, deadline=60.0, is_download=True),
}
_OWN: Final = ("/", "/health", "/openapi.json", "/docs", "/docs/{asset}", "/healthz", "/readyz", "/metrics")


def _declared() -> list[Operation]:
    """Raises `ValueError` for a policy of an operation that no service declares."""
    policies = dict(_POLICIES)
    operations = [
        Operation(
            one["method"],
            one["path"],
            Upstream(one["service"]),
            Access(one["access"]),
            one["mirrored"],
            policies.pop(f"{one['method']} {one['path']}", Policy()),
            tuple(one.get("secret", ())),
            one.get("idempotent", False),
        )
        for one in orjson.loads(OPERATIONS.read_bytes())
    ]
    if policies:
        raise ValueError(f"No service declares {', '.join(policies)}")
    return operations


LIVEKIT_WEBHOOKS: Final = "/webhooks/livekit"

TABLE: Final = (*_declared(), *(Operation("GET", path, Upstream.GATEWAY, PUBLIC) for path in _OWN))


def reachable(*, livekit_webhooks: bool) -> tuple[Operation, ...]:
    """The table of an installation in which LiveKit sends its webhooks by the gateway, or past it."""
    return tuple(one for one in TABLE if livekit_webhooks or one.path != LIVEKIT_WEBHOOKS)
