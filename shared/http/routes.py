"""Routes: a decorator that declares an operation from the types of its handler.

    @routes.post("/rooms", access=HOST, scope=WRITE, status=201, mirrored=True)
    async def create_room(request: Request, body: CreateRoomRequest) -> Reply[RoomCreated]:
        \"""Create a new room.\"""

The parameters `body` and `query` and the type of the reply are read from the annotations; parsing,
rendering and the OpenAPI document come from the same declaration.
"""

import inspect
import typing
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partialmethod
from typing import Any, TypeVar

from aiohttp import web

from shared.access.identity import Scope
from shared.http.reply import Bare, Reply
from shared.http.schema import Body, Query


class Access(StrEnum):
    """Who may call an operation. Finer rules (whose room, which role) are up to the service."""

    PUBLIC = "public"
    ANONYMOUS = "anonymous"  # public, and credentials are ignored
    BEARER = "bearer"
    HOST = "host"
    MODERATOR = "moderator"
    ADMIN = "admin"
    SIGNED = "LiveKit signature"
    PROXY = "proxy secret"  # checked by the service, since refusals are in the caller's protocol
    INTERNAL = "internal"

    @property
    def authenticates(self) -> bool:
        """Whether a user's credentials are checked."""
        return self not in {Access.ANONYMOUS, Access.SIGNED, Access.PROXY, Access.INTERNAL}


PUBLIC, ANONYMOUS, BEARER, HOST, MODERATOR, ADMIN, SIGNED, PROXY, INTERNAL = Access
READ, WRITE = Scope

Handler = Callable[..., Awaitable[Reply[Any] | Bare[Any] | web.StreamResponse]]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True)
class Route:
    """One operation, as declared. `file`: it answers with a file; `bare`: without an envelope.

    `uploads` are the file types it accepts as its body, which the handler reads. `refuses` are statuses of
    its own, beside those that follow from the rest. `secret` are the path's parameters that no log may show.
    """

    method: str
    path: str
    handler: Handler
    access: Access
    scope: Scope | None
    status: int
    tag: str
    mirrored: bool
    idempotent: bool
    body: type[Body] | None
    query: type[Query] | None
    data: Any
    conflicts: bool
    file: bool
    bare: bool
    uploads: tuple[str, ...]
    refuses: tuple[int, ...]
    secret: tuple[str, ...]

    @property
    def operation_id(self) -> str:
        return str(getattr(self.handler, "__name__", self.path))

    @property
    def docstring(self) -> str:
        return inspect.getdoc(self.handler) or self.operation_id


class Routes:
    """The operations of one noun, in the order they were declared; `tag` groups them in the documents."""

    def __init__(self, tag: str):
        self.tag = tag
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def route(
        self,
        method: str,
        path: str,
        *,
        access: Access,
        scope: Scope | None = None,
        status: int = 200,
        mirrored: bool = False,
        idempotent: bool = False,
        conflicts: bool | None = None,
        uploads: Sequence[str] = (),
        refuses: Sequence[int] = (),
        secret: Sequence[str] = (),
    ) -> Callable[[H], H]:
        """Declare an operation; `mirrored` ones also exist under /libraries/{library_id}.

        `scope` is what the caller's API key needs: `READ` if the answer only shows something, `WRITE` if the
        operation changes something or its answer lets the caller act (a join token, a sign-in code, a stream
        key), whatever its method. Raises `ValueError` without one, unless users' credentials are not checked.
        `conflicts`: a state may forbid it (409); always possible for operations that change something.
        """

        if (scope is not None) is not access.authenticates:
            raise ValueError(f"{method} {path}: a scope is for operations that check users' credentials")

        def declare(handler: H) -> H:
            self._routes.append(
                Route(
                    method=method,
                    path=path,
                    handler=handler,
                    access=access,
                    scope=scope,
                    status=status,
                    tag=self.tag,
                    mirrored=mirrored,
                    idempotent=idempotent,
                    conflicts=method != "GET" if conflicts is None else conflicts,
                    uploads=tuple(uploads),
                    refuses=tuple(refuses),
                    secret=tuple(secret),
                    **_types_of(handler),
                )
            )
            return handler

        return declare

    get = partialmethod(route, "GET")
    post = partialmethod(route, "POST")
    patch = partialmethod(route, "PATCH")
    delete = partialmethod(route, "DELETE")


def _types_of(handler: Handler) -> dict[str, Any]:
    """From the annotations: `body`, `query`, `data`, and whether it answers with a `file` or `bare`."""
    hints = typing.get_type_hints(handler)
    reply = hints.get("return")
    kind = typing.get_origin(reply)
    data = typing.get_args(reply)[0] if kind in {Reply, Bare} else None
    return {
        "body": hints.get("body"),
        "query": hints.get("query"),
        "data": None if data is type(None) else data,
        "file": kind not in {Reply, Bare},
        "bare": kind is Bare,
    }
