"""How a foreign API is declared: its operations, its credentials, and the form of its refusals.

operations = ForeignOperations("/api/video")

@operations.get("/rooms", scope=READ)
async def list_rooms(request: ForeignRequest) -> web.Response: ...
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partialmethod
from typing import Final, TypeAlias, TypeVar

from aiohttp import web
from multidict import MultiMapping

from services.gateway.compat.calls import NativeCalls
from services.gateway.routing.table import CredentialForm, Policy
from shared.access.identity import Caller, Scope
from shared.errors import AppError, Unauthenticated


@dataclass(frozen=True, slots=True)
class ForeignRequest:
    """One call of a foreign operation.

    `native`: the services' operations, with the caller's rights. `base_url`: scheme and host by which the
    client reached us. `path` is as it was sent; `parameters` are those in it, decoded. `body` as it was
    sent, empty if there was none.
    """

    native: NativeCalls
    viewer: Caller | None
    base_url: str
    path: str
    parameters: Mapping[str, str]
    query: MultiMapping[str]
    body: bytes

    @property
    def caller(self) -> Caller:
        """The API key that calls; raises `Unauthenticated` if the operation takes no credentials."""
        if self.viewer is None:
            raise Unauthenticated()
        return self.viewer


ForeignHandler: TypeAlias = Callable[[ForeignRequest], Awaitable[web.Response]]
F = TypeVar("F", bound=ForeignHandler)


@dataclass(frozen=True, slots=True)
class ForeignOperation:
    """`path` with its prefix. `scope` is what the API key needs; without one no credentials are looked at.

    `secret` are the path's parameters that no log may show.
    """

    method: str
    path: str
    handler: ForeignHandler
    scope: Scope | None
    policy: Policy
    secret: tuple[str, ...]


_PLAIN: Final = Policy()


class ForeignOperations:
    """The operations below `prefix`, in the order they were declared."""

    def __init__(self, prefix: str):
        self._prefix = prefix
        self._operations: list[ForeignOperation] = []

    def __iter__(self) -> Iterator[ForeignOperation]:
        return iter(self._operations)

    def declare(
        self,
        method: str,
        path: str,
        *,
        scope: Scope | None,
        policy: Policy = _PLAIN,
        secret: tuple[str, ...] = (),
    ) -> Callable[[F], F]:
        def declare(handler: F) -> F:
            self._operations.append(
                ForeignOperation(method, self._prefix + path, handler, scope, policy, secret)
            )
            return handler

        return declare

    get = partialmethod(declare, "GET")
    post = partialmethod(declare, "POST")
    put = partialmethod(declare, "PUT")
    delete = partialmethod(declare, "DELETE")


@dataclass(frozen=True, slots=True)
class ForeignApi:
    """`render_error` renders every refusal below `prefix`, be it the gateway's own or a service's."""

    prefix: str
    credential: CredentialForm
    operations: tuple[ForeignOperation, ...]
    render_error: Callable[[AppError], web.Response]
