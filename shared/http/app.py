"""The aiohttp application of a service, made from its declared routes."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeGuard

from aiohttp import hdrs, web

from shared.access.identity import Caller, Scope, TokenVerifier
from shared.access.revocations import Revocations
from shared.clock import Clock
from shared.contracts.states import AuditedCallState, AuditOutcome, UserRole
from shared.errors import AppError, Forbidden, Unauthenticated, Unavailable
from shared.http.audit import AuditedCall, AuditTrail
from shared.http.bodies import BODY_LIMIT, read_bytes
from shared.http.idempotency import HEADER as IDEMPOTENCY_HEADER
from shared.http.idempotency import IdempotencyKeys, Reservation
from shared.http.internal import InternalCalls
from shared.http.middleware import DECLARED_PATHS, AiohttpHandler, request_middleware
from shared.http.openapi import service_document
from shared.http.reply import Bare, Reply, alive, metrics, readiness, render, render_bare
from shared.http.request import (
    LIBRARY_HEADER,
    Request,
    bearer_expected,
    client_address,
    parse_body,
    parse_query,
    split_authorization,
)
from shared.http.routes import Access, Route, Routes
from shared.ids import is_id
from shared.runtime.health import HEALTH, Health
from shared.runtime.log import Command, bind_command, bind_session, current_request_id
from shared.runtime.settings import ServiceSettings
from shared.runtime.tasks import SUPERVISOR, TaskSupervisor

IDEMPOTENCY: Final = web.AppKey("idempotency", IdempotencyKeys)
AUDIT: Final = web.AppKey("audit", AuditTrail)
VERIFIER: Final = web.AppKey("verifier", TokenVerifier)
REVOCATIONS: Final = web.AppKey("revocations", Revocations)
INTERNAL_CALLS: Final = web.AppKey("internal_calls", InternalCalls)

_SESSION_IN_PATH: Final = re.compile(r"/sessions/\{(\w+)\}")
_LONGEST_TARGET: Final = 255
_CREATED: Final = 201
_REFUSED_FROM: Final = 400
# Refusals that a session's journal has: not those of what is not understood, or of what does not exist.
_TOLD: Final = frozenset({403, 409, 502, 503})


def service_app(
    service: str, settings: ServiceSettings, tables: Iterable[Routes], clock: Clock
) -> web.Application:
    """An application that answers `tables`, /healthz, /readyz, /metrics and /openapi.json.

    The caller adds its services (`web.AppKey`) and lifetimes (`cleanup_ctx`); operations are
    refused with 503 until `app[HEALTH].started` is set.
    """
    app = web.Application(
        client_max_size=BODY_LIMIT,
        middlewares=[request_middleware(development=settings.development)],
        handler_args={"auto_decompress": False},
    )
    app[HEALTH] = Health()
    app.on_response_prepare.append(_close_if_stopping)
    app[SUPERVISOR] = TaskSupervisor()
    app[REVOCATIONS] = revocations = Revocations(clock)
    app[VERIFIER] = TokenVerifier(settings.identity_public_keys, clock, revocations.cover)
    app[INTERNAL_CALLS] = InternalCalls(settings.internal_signing, clock)
    declared = [route for table in tables for route in table]
    paths: dict[str, tuple[str, Sequence[str]]] = {}
    for route in declared:
        added = app.router.add_route(route.method, route.path, _Operation(service, route).handle)
        if added.resource is not None:
            paths[added.resource.canonical] = route.path, route.secret
    app[DECLARED_PATHS] = paths
    document = service_document(service, declared)
    app.router.add_get("/openapi.json", _fixed_json(document))
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _readyz)
    app.router.add_get("/metrics", _metrics)
    return app


async def _close_if_stopping(request: web.Request, response: web.StreamResponse) -> None:
    """Clients then connect again, to a replica that is not stopping."""
    if request.app[HEALTH].stopping:
        response.force_close()
        response.headers[hdrs.CONNECTION] = "close"


class _Operation:
    """One route as aiohttp calls it: authorize, parse, handle, render."""

    def __init__(self, service: str, route: Route):
        self._service = service
        self._route = route
        self._name = f"{route.method} {route.path}"
        in_session = _SESSION_IN_PATH.search(route.path)
        self._session_parameter = in_session[1] if in_session else None

    async def handle(self, raw: web.Request) -> web.StreamResponse:
        health = raw.app[HEALTH]
        if not health.started:
            raise Unavailable("The service is starting", code="starting")
        if session_id := self._session_id(raw):
            # Log lines say which session the path names, whatever becomes of the request.
            bind_session(session_id)
        viewer = self._identify(raw)
        if not self._is_audited(viewer):
            return await self._answer(raw, viewer, None)
        async with raw.app[AUDIT].recorded(self._audited_call(raw, viewer)) as audited:
            response = await self._answer(raw, viewer, audited)
        refused = response.status >= _REFUSED_FROM
        await audited.over(AuditOutcome.REFUSED if refused else AuditOutcome.DONE, response.status)
        return response

    def _is_audited(self, viewer: Caller | None) -> TypeGuard[Caller]:
        """Whether it is an administrator's call that changes something, or lets them act.

        Also what members of organizations are refused of administrators' operations; not what strangers are,
        since anybody may register as a viewer and fill the audit log.
        """
        if viewer is None or self._route.scope is not Scope.WRITE:
            return False
        return viewer.is_admin or (self._route.access is Access.ADMIN and viewer.role is UserRole.HOST)

    def _is_told(self, viewer: Caller | None, error: AppError) -> bool:
        """Whether a session's journal has this refusal: of a host's call that would have changed it.

        Viewers are refused for being none, whether or not there is such a session.
        """
        of_staff = self._route.access in {Access.HOST, Access.MODERATOR} and self._route.scope is Scope.WRITE
        return of_staff and viewer is not None and viewer.role is UserRole.HOST and error.status in _TOLD

    def _audited_call(self, raw: web.Request, viewer: Caller) -> AuditedCallState:
        in_path = {name: value for name, value in raw.match_info.items() if name not in self._route.secret}
        return raw.app[AUDIT].new(
            self._name,
            viewer.actor,
            actor_name=viewer.username,
            targets=[value[:_LONGEST_TARGET] for value in in_path.values()],
            client_address=client_address(raw),
            request_id=current_request_id(),
        )

    async def _answer(
        self, raw: web.Request, viewer: Caller | None, audited: AuditedCall | None
    ) -> web.StreamResponse:
        self._permit(viewer)
        reads = raw.can_read_body and not self._route.uploads
        body = await read_bytes(raw) if reads else b""
        parsed: dict[str, object] = {}
        if self._route.query is not None:
            parsed["query"] = parse_query(raw.query, self._route.query)
        if self._route.body is not None:
            parsed["body"] = parse_body(raw, body, self._route.body)
        key = raw.headers.get(IDEMPOTENCY_HEADER)
        if key is None or not self._route.idempotent:
            return await self._call(raw, viewer, Reservation.fresh(), parsed, audited)
        if self._route.uploads:
            # It is not received yet; this is what can be known of it.
            body = f"{raw.content_type} {raw.content_length}".encode()
        async with raw.app[IDEMPOTENCY].hold(
            caller=_holder(raw, viewer), route=_route_called(raw), key=key, body=body
        ) as reservation:
            return await self._call(raw, viewer, reservation, parsed, audited)

    def _session_id(self, raw: web.Request) -> str | None:
        """The session that the path names, whether or not there is one."""
        named = raw.match_info.get(self._session_parameter, "") if self._session_parameter else ""
        return named.lower() if is_id(named) else None

    async def _call(
        self,
        raw: web.Request,
        viewer: Caller | None,
        reservation: Reservation,
        parsed: dict[str, object],
        audited: AuditedCall | None,
    ) -> web.StreamResponse:
        if viewer is not None:
            bind_session(organization_id=viewer.organization_id)
        if audited is not None:
            await audited.begin(parsed.get("body"))
            if self._route.idempotent and self._route.status == _CREATED:
                audited.creates = [reservation.id]
        bind_command(Command(self._name, viewer.actor if viewer else None))
        try:
            reply = await self._route.handler(Request(raw, viewer, reservation), **parsed)
        except AppError as error:
            if (session_id := self._session_id(raw)) and self._is_told(viewer, error):
                await raw.app[AUDIT].refused(session_id, error)
            raise
        if isinstance(reply, Bare):
            return render_bare(reply, self._route.status)
        return render(reply, self._route.status) if isinstance(reply, Reply) else reply

    def _identify(self, raw: web.Request) -> Caller | None:
        """Who calls; raises `Unauthenticated` if nobody may be told by the call, and somebody has to be."""
        access, scope = self._route.access, self._route.scope
        authorization = raw.headers.get("Authorization")
        if access is Access.INTERNAL:
            raw.app[INTERNAL_CALLS].verify(authorization, self._service)
        if scope is None:
            return None
        viewer = raw.app[VERIFIER].verify(_bearer_token(authorization)) if authorization else None
        if viewer is None and access is not Access.PUBLIC:
            raise Unauthenticated()
        return viewer

    def _permit(self, viewer: Caller | None) -> None:
        """Raises `Forbidden` if the route's access is not met."""
        access, scope = self._route.access, self._route.scope
        if viewer is not None and scope is not None and scope not in viewer.scopes:
            raise Forbidden(f"This API key may not {scope.value}", code="scope_missing")
        if access is Access.ADMIN and not (viewer and viewer.is_admin):
            raise Forbidden("Only administrators may do this", code="admin_required")


def _bearer_token(authorization: str) -> str:
    """Raises `Unauthenticated` for another scheme."""
    scheme, token = split_authorization(authorization)
    if scheme != "bearer" or not token:
        raise bearer_expected()
    return token


def _holder(raw: web.Request, viewer: Caller | None) -> str:
    """Whose Idempotency-Key it is: the user's, or, before anybody signed in, the address's."""
    if viewer is not None:
        return viewer.user_id
    return "anonymous:" + hashlib.sha256(client_address(raw).encode(errors="surrogateescape")).hexdigest()


def _route_called(raw: web.Request) -> str:
    """Which operation on what: the same path under another library is another one."""
    library_id = raw.headers.get(LIBRARY_HEADER, "")
    return f"{raw.method} {library_id}{raw.path}"


def _fixed_json(document: dict[str, object]) -> AiohttpHandler:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(document)

    return answer


async def _healthz(_: web.Request) -> web.StreamResponse:
    return alive()


async def _readyz(request: web.Request) -> web.StreamResponse:
    """`?exclude=livekit` (repeatable, as of Kubernetes' own /readyz): ready although LiveKit is away."""
    return await readiness(request.app[HEALTH], request.query.getall("exclude", ()))


async def _metrics(request: web.Request) -> web.StreamResponse:
    return await metrics(request.app[HEALTH])
