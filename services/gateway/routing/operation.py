"""A line of the route table: which operation exists, who answers it and who may call it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final

from shared.http.routes import ADMIN, Access

DEFAULT_BODY_LIMIT: Final = 1024 * 1024
SIGN_IN_LIMIT: Final = 16 * 1024


class Upstream(StrEnum):
    """Who answers an operation."""

    SESSION = "session"
    EGRESS = "egress"
    ATTENDANCE = "attendance"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `mirrored` ones also exist under /libraries/{library_id}.

    `body_limit` is in bytes; `deadline` in seconds, None for the gateway's own setting. A `sign_in` with a
    password is slowed when it fails often. What a `cached` one answers to anonymous clients is kept for a
    second. A `talking` one reaches many people: it is counted by person.
    """

    method: str
    path: str
    upstream: Upstream
    access: Access
    mirrored: bool = False
    body_limit: int = DEFAULT_BODY_LIMIT
    deadline: float | None = None
    sign_in: bool = False
    cached: bool = False
    talking: bool = False


get = partial(Operation, "GET")
post = partial(Operation, "POST")
patch = partial(Operation, "PATCH")
delete = partial(Operation, "DELETE")


def administered(path: str, upstream: Upstream) -> Iterator[Operation]:
    """The five operations of a noun that administrators keep."""
    yield get(path, upstream, ADMIN)
    yield post(path, upstream, ADMIN)
    for one in (get, patch, delete):
        yield one(path + "/{id}", upstream, ADMIN)
