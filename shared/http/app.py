"""The aiohttp application of a service, made from its declared routes."""

import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from shared.access.identity import Caller, Scope, TokenVerifier
from shared.access.revocations import Revocations
from shared.clock import Clock
from shared.errors import AppError, Forbidden, MethodNotAllowed, NotFound, Unauthenticated, Unavailable
from shared.http.idempotency import HEADER as IDEMPOTENCY_HEADER
from shared.http.idempotency import IdempotencyKeys, Reservation
from shared.http.internal import InternalCalls
from shared.http.openapi import service_document
from shared.http.parsing import parse_body, parse_query, read_bytes
from shared.http.reply import Bare, Reply, error_body, render, render_bare, render_error
from shared.http.request import LIBRARY_HEADER, Request
from shared.http.revocations import PATH as REVOCATIONS_PATH
from shared.http.routes import Access, Route, Routes
from shared.ids import new_id
from shared.runtime.command import Command, bind_command
from shared.runtime.health import HEALTH, Health
from shared.runtime.log import bind_request_id
from shared.runtime.metrics import REFUSALS, exposition, observe_request
from shared.runtime.settings import ServiceSettings
from shared.runtime.supervisor import SUPERVISOR, TaskSupervisor

log = structlog.get_logger(__name__)

IDEMPOTENCY: Final = web.AppKey("idempotency", IdempotencyKeys)
VERIFIER: Final = web.AppKey("verifier", TokenVerifier)
REVOCATIONS: Final = web.AppKey("revocations", Revocations)
INTERNAL_CALLS: Final = web.AppKey("internal_calls", InternalCalls)

REQUEST_ID_HEADER: Final = "X-Request-Id"
BODY_LIMIT = 1024 * 1024

_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{8,128}$")
# Where no credentials of a user are asked for or looked at.
_UNIDENTIFIED = frozenset({Access.ANONYMOUS, Access.SIGNED, Access.PROXY})

AiohttpHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def service_app(
    service: str, settings: ServiceSettings, tables: Iterable[Routes], clock: Clock
) -> web.Application:
    """An application that answers `tables`, /healthz, /readyz, /metrics and /openapi.json.

    The caller adds its services (`web.AppKey`) and lifetimes (`cleanup_ctx`); operations are
    refused with 503 until `app[HEALTH].started` is set.
    """
    app = web.Application(client_max_size=BODY_LIMIT, middlewares=[_Door(settings).handle])
    app[HEALTH] = Health()
    app[SUPERVISOR] = TaskSupervisor()
    app[REVOCATIONS] = revocations = Revocations(clock)
    app[VERIFIER] = TokenVerifier(settings.identity_public_keys, clock, revocations.cover)
    app[INTERNAL_CALLS] = InternalCalls(settings.internal_secret.get_secret_value(), clock)
    declared = [route for table in tables for route in table]
    for route in declared:
        app.router.add_route(route.method, route.path, _Operation(service, route).handle)
    document = service_document(service, declared)
    app.router.add_get("/openapi.json", _fixed_json(document))
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _readyz)
    app.router.add_get("/metrics", _metrics)
    return app


class _Door:
    """The one middleware: request id, refusals rendered, time and outcome recorded."""

    def __init__(self, settings: ServiceSettings):
        self._development = settings.development

    @property
    def handle(self) -> Middleware:
        @web.middleware
        async def door(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
            return await self._answer(request, handler)

        return door

    async def _answer(self, request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
        started = time.perf_counter()
        request_id = _request_id(request)
        bind_request_id(request_id)
        response = await self._outcome(request, handler, request_id)
        if not response.prepared:
            response.headers[REQUEST_ID_HEADER] = request_id
        self._record(request, response.status, time.perf_counter() - started)
        return response

    async def _outcome(
        self, request: web.Request, handler: AiohttpHandler, request_id: str
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except AppError as error:
            return self._refuse(error)
        except web.HTTPNotFound:
            return self._refuse(NotFound(f"There is no {request.path}", code="no_such_path"))
        except web.HTTPMethodNotAllowed as error:
            allowed = ", ".join(sorted(error.allowed_methods))
            return self._refuse(
                MethodNotAllowed(
                    f"{request.method} is not allowed for {request.path}", headers={"Allow": allowed}
                )
            )
        except web.HTTPException as error:
            return _plain(error.status, error.reason, self._development)
        except Exception:
            log.exception("http.bug", method=request.method, path=request.path)
            return _plain(500, f"Something went wrong on our side (request {request_id})", self._development)

    def _refuse(self, error: AppError) -> web.Response:
        REFUSALS.labels(error.code).inc()
        return render_error(error, development=self._development)

    @staticmethod
    def _record(request: web.Request, status: int, seconds: float) -> None:
        resource = request.match_info.route.resource
        operation = f"{request.method} {resource.canonical}" if resource else "unknown"
        observe_request(operation, status, seconds)
        if resource is None or resource.canonical not in _LOOKED_AT or status not in _AS_EVER:
            log.info(
                "http.request",
                operation=operation,
                path=request.path,
                status=status,
                ms=round(seconds * 1e3, 2),
            )


# What machines look at every second or so, and what they see then as a rule.
_LOOKED_AT: Final = frozenset({"/healthz", "/readyz", "/metrics", REVOCATIONS_PATH})
_AS_EVER: Final = frozenset({200, 503})


class _Operation:
    """One route as aiohttp calls it: admit, parse, handle, render."""

    def __init__(self, service: str, route: Route):
        self._service = service
        self._route = route
        self._name = f"{route.method} {route.path}"
        self._scope = Scope.READ if route.method == "GET" else Scope.WRITE

    async def handle(self, raw: web.Request) -> web.StreamResponse:
        health = raw.app[HEALTH]
        if not health.started:
            raise Unavailable("The service is starting", code="starting")
        viewer = self._admit(raw)
        reads = raw.can_read_body and not self._route.uploads
        body = await read_bytes(raw) if reads else b""
        parsed: dict[str, object] = {}
        if self._route.query is not None:
            parsed["query"] = parse_query(raw.query, self._route.query)
        if self._route.body is not None:
            parsed["body"] = parse_body(raw, body, self._route.body)
        key = raw.headers.get(IDEMPOTENCY_HEADER)
        if key is None or not self._route.idempotent:
            return await self._call(raw, viewer, Reservation.fresh(), parsed)
        if self._route.uploads:
            # It is not in yet; this is what can be known of it.
            body = f"{raw.content_type} {raw.content_length}".encode()
        async with raw.app[IDEMPOTENCY].hold(
            caller=_holder(raw, viewer), route=_route_called(raw), key=key, body=body
        ) as reservation:
            return await self._call(raw, viewer, reservation, parsed)

    async def _call(
        self, raw: web.Request, viewer: Caller | None, reservation: Reservation, parsed: dict[str, object]
    ) -> web.StreamResponse:
        bind_command(Command(self._name, viewer.actor if viewer else None))
        reply = await self._route.handler(Request(raw, viewer, reservation), **parsed)
        if isinstance(reply, Bare):
            return render_bare(reply, self._route.status)
        return render(reply, self._route.status) if isinstance(reply, Reply) else reply

    def _admit(self, raw: web.Request) -> Caller | None:
        """Who calls; raises `Unauthenticated` or `Forbidden` where the route's access is not met."""
        access = self._route.access
        authorization = raw.headers.get("Authorization")
        if access in _UNIDENTIFIED:
            return None
        if access is Access.INTERNAL:
            raw.app[INTERNAL_CALLS].verify(authorization, self._service)
            return None
        viewer = raw.app[VERIFIER].verify(bearer_token(authorization)) if authorization else None
        if viewer is None and access is not Access.PUBLIC:
            raise Unauthenticated()
        if viewer is not None and self._scope not in viewer.scopes:
            raise Forbidden(f"This API key may not {self._scope.value}", code="scope_missing")
        if access is Access.ADMIN and not (viewer and viewer.is_admin):
            raise Forbidden("Only administrators may do this", code="admin_required")
        return viewer


def bearer_token(authorization: str) -> str:
    """The token of an Authorization header; raises `Unauthenticated` for another scheme."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Send Authorization: Bearer <access token>", code="token_invalid")
    return token.strip()


def _holder(raw: web.Request, viewer: Caller | None) -> str:
    """Whose Idempotency-Key it is: the user's, or, before anybody signed in, the address's."""
    if viewer is not None:
        return viewer.user_id
    address = raw.headers.get("X-Forwarded-For", raw.remote or "").split(",")[0].strip()
    return "anonymous:" + hashlib.sha256(address.encode()).hexdigest()


def _route_called(raw: web.Request) -> str:
    """Which operation on what: the same path under another library is another one."""
    library_id = raw.headers.get(LIBRARY_HEADER, "")
    return f"{raw.method} {library_id}{raw.path}"


def _request_id(request: web.Request) -> str:
    given = request.headers.get(REQUEST_ID_HEADER, "")
    return given if _REQUEST_ID.match(given) else new_id()


def _plain(status: int, message: str, development: bool) -> web.Response:
    code = "internal" if status >= 500 else "refused"
    body = error_body(message, code, development=development)
    return web.Response(body=body, status=status, content_type="application/json")


def _fixed_json(document: dict[str, object]) -> AiohttpHandler:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(document)

    return answer


async def _healthz(_: web.Request) -> web.StreamResponse:
    return web.json_response({"status": "alive"})


async def _readyz(request: web.Request) -> web.StreamResponse:
    ready, document = await request.app[HEALTH].readiness()
    return web.json_response(document, status=200 if ready else 503)


async def _metrics(_: web.Request) -> web.StreamResponse:
    body, content_type = exposition()
    return web.Response(body=body, headers={"Content-Type": content_type})
