"""All foreign APIs together: their lines of the route table, who answers a call, who renders a refusal."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from aiohttp import web
from yarl import URL

from services.gateway.compat.calls import NativeCalls
from services.gateway.compat.operations import ForeignApi, ForeignOperation, ForeignRequest
from services.gateway.http.context import RequestContext
from services.gateway.http.request_body import RequestBody
from services.gateway.routing.router import Endpoint
from services.gateway.routing.table import Operation, Upstream
from services.gateway.routing.target import RequestTarget
from services.gateway.upstreams.proxy import Proxy
from shared.errors import AppError, Forbidden, UnsupportedMediaType
from shared.http.routes import Access

_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


class ForeignApis:
    """`deadline`: the seconds of each call to a service; `body_seconds`: those a client has to send a small
    body."""

    def __init__(self, apis: Sequence[ForeignApi], proxy: Proxy, *, deadline: float, body_seconds: float):
        self._apis = tuple(apis)
        self._proxy = proxy
        self._deadline = deadline
        self._body_seconds = body_seconds
        self._operations = {(one.method, one.path): one for api in apis for one in api.operations}

    @property
    def table(self) -> list[Operation]:
        """The lines of the route table."""
        return [_line(api, one) for api in self._apis for one in api.operations]

    def error_form(self, path: str) -> Callable[[AppError], web.Response] | None:
        """How refusals of a decoded path are rendered, if it belongs to a foreign API."""
        for api in self._apis:
            if path == api.prefix or path.startswith(api.prefix + "/"):
                return api.render_error
        return None

    async def respond(
        self, request: web.BaseRequest, target: RequestTarget, context: RequestContext, endpoint: Endpoint
    ) -> web.Response:
        """The answer of the operation; raises `AppError`."""
        line = endpoint.operation
        operation = self._operations[line.method, line.path]
        caller = context.authenticated.caller if context.authenticated else None
        if caller is not None and operation.scope is not None and operation.scope not in caller.scopes:
            raise Forbidden(f"This API key may not {operation.scope.value}", code="scope_missing")
        return await operation.handler(
            ForeignRequest(
                native=NativeCalls(self._proxy, context, line.policy.deadline or self._deadline),
                viewer=caller,
                base_url=f"{context.client.scheme}://{context.client.host}",
                path=target.path,
                parameters=_parameters(line.path, target.segments),
                query=URL("/" + target.query, encoded=True).query,
                body=await self._body(request, line),
            )
        )

    async def _body(self, request: web.BaseRequest, line: Operation) -> bytes:
        if request.method not in _WITH_BODY:
            return b""
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType("Send the body uncompressed")
        return await RequestBody(request, limit=line.policy.body_limit, seconds=self._body_seconds).whole()


def _line(api: ForeignApi, operation: ForeignOperation) -> Operation:
    access = Access.ANONYMOUS if operation.scope is None else Access.HOST
    policy = replace(operation.policy, credential=api.credential)
    return Operation(
        operation.method, operation.path, Upstream.COMPAT, access, policy=policy, secret=operation.secret
    )


def _parameters(template: str, segments: Sequence[str]) -> dict[str, str]:
    names = template.split("/")[1:]
    return {
        name[1:-1]: segment for name, segment in zip(names, segments, strict=True) if name.startswith("{")
    }
