"""Services that answer what a test lays out, and remember what they were asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
from aiohttp import web
from multidict import MultiMapping

from tests.integration.gateway.fixtures import GatewayFixture

# Status, code, and the fields that are bad.
Refusal: TypeAlias = tuple[int, str] | tuple[int, str, list[str]]


@dataclass(frozen=True)
class NativeCall:
    """`body` is the parsed JSON, None if there was none."""

    service: str
    method: str
    path: str
    query: MultiMapping[str]
    body: Any


Answer: TypeAlias = dict[str, Any] | Refusal | None
Answering: TypeAlias = Answer | Callable[[NativeCall], Answer]


@dataclass
class NativeServices:
    """`answers`: by "METHOD /path", the data, a status and code to refuse with, or what computes either."""

    answers: dict[str, Answering] = field(default_factory=dict)
    calls: list[NativeCall] = field(default_factory=list)

    def behind(self, gateway: GatewayFixture) -> None:
        """Answer for all services of this gateway."""
        for service in (gateway.session, gateway.egress, gateway.attendance):
            service.handler = self._handler(service.name)

    @property
    def asked(self) -> list[str]:
        """Which operations were called."""
        return [f"{call.method} {call.path}" for call in self.calls]

    def _handler(self, service: str) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.StreamResponse:
            raw = await request.read()
            call = NativeCall(
                service, request.method, request.path, request.query, orjson.loads(raw) if raw else None
            )
            self.calls.append(call)
            answer = self.answers[f"{request.method} {request.path}"]
            return _render(answer(call) if callable(answer) else answer)

        return handle


def _render(answer: Answer) -> web.Response:
    if isinstance(answer, tuple):
        status, code, *bad = answer
        errors = [{"field": field, "code": "bad", "message": "is bad"} for field in (bad[0] if bad else ())]
        body = {"success": False, "error": "No", "code": code, "errors": errors}
        return web.json_response(body, status=status)
    return web.json_response({"success": True, "data": answer})
