"""An operation: who answers it, who may call it, and what the gateway does with it besides."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.http.routes import Access

DEFAULT_BODY_LIMIT: Final = 1024 * 1024


class Upstream(StrEnum):
    """Who answers an operation."""

    SESSION = "session"
    EGRESS = "egress"
    ATTENDANCE = "attendance"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the gateway adds to an operation.

    `body_limit` is in bytes; `deadline` in seconds, None for the gateway's own setting. A `sign_in` with a
    password is slowed when it fails often. The answer of a `cached` one to anonymous clients is kept for a
    second. A `chat` message reaches many people: it is counted by person.
    """

    body_limit: int = DEFAULT_BODY_LIMIT
    deadline: float | None = None
    sign_in: bool = False
    cached: bool = False
    chat: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """`mirrored` ones also exist under /libraries/{library_id}."""

    method: str
    path: str
    upstream: Upstream
    access: Access
    mirrored: bool = False
    policy: Policy = Policy()
