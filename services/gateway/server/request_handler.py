"""What happens to every request, in line: find, identify, count, pass on, record."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import web
from multidict import istr

from services.gateway import request_ids
from services.gateway.cache.entry import Entry
from services.gateway.cache.reader import Reader
from services.gateway.http.clients import Clients
from services.gateway.http.context import Visit
from services.gateway.http.cors import Cors
from services.gateway.http.errors import ClientGone
from services.gateway.http.headers import FIXED, check_size
from services.gateway.identity.callers import Identities
from services.gateway.limiting.counters import Count
from services.gateway.limiting.sign_ins import SignIns
from services.gateway.limiting.throttle import Throttle
from services.gateway.recorder import Recorder
from services.gateway.request_ids import RequestIds
from services.gateway.routing.operation import Upstream
from services.gateway.routing.router import Endpoint, Matcher
from services.gateway.routing.target import Target, no_such_path, read_target
from services.gateway.settings import GatewaySettings
from services.gateway.upstreams.proxy import Errand, Proxy
from services.gateway.upstreams.requests import make_errand
from shared.errors import AppError, MethodNotAllowed, Unavailable
from shared.http.reply import error_body, render_error
from shared.http.routes import Access
from shared.runtime.log import bind_request_id
from shared.runtime.metrics import REFUSALS

log = structlog.get_logger(__name__)

Own = Callable[[web.BaseRequest, Target], Awaitable[web.StreamResponse]]

_REQUEST_ID: Final = istr(request_ids.HEADER)


@dataclass(frozen=True, slots=True)
class Duties:
    """The parts the door is made of."""

    matcher: Matcher
    identities: Identities
    throttle: Throttle
    sign_ins: SignIns
    proxy: Proxy
    own: Mapping[str, Own]
    cors: Cors
    clients: Clients
    request_ids: RequestIds
    reader: Reader
    recorder: Recorder


class Door:
    """The one handler of the gateway."""

    def __init__(self, duties: Duties, settings: GatewaySettings):
        self._duties = duties
        self._settings = settings

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        started = time.perf_counter()
        entry = self._duties.reader.find(request)
        if entry is not None:
            return self._give(request, entry, started)
        visit = self._receive(request)
        status = ClientGone.status
        try:
            response = await self._outcome(request, visit)
            status = response.status
        finally:
            self._record(request, visit, status, started)
        return response

    def _give(self, request: web.BaseRequest, entry: Entry, started: float) -> web.StreamResponse:
        """An answer that is kept: the other duties were done for it when it was asked for."""
        duties = self._duties
        request_id = duties.request_ids.choose(request.headers.get(_REQUEST_ID))
        response = duties.reader.respond(request, entry, request_id)
        client = duties.clients.address_of(request)
        duties.recorder.record(
            entry.endpoint, "GET", entry.path, response.status, started, request_id, client, None
        )
        return response

    def _receive(self, request: web.BaseRequest) -> Visit:
        headers = request.headers
        request_id = self._duties.request_ids.choose(headers.get(request_ids.HEADER))
        bind_request_id(request_id)
        ours = {
            request_ids.HEADER: request_id,
            **FIXED,
            **self._duties.cors.headers(headers.get("Origin")),
        }
        return Visit(request_id, self._duties.clients.of(request), ours, ascii(request.raw_path))

    async def _outcome(self, request: web.BaseRequest, visit: Visit) -> web.StreamResponse:
        try:
            response = await self._answer(request, visit)
        except AppError as error:
            response = self._refuse(error, visit)
        except Exception:
            log.exception("http.bug", method=request.method, path=request.path)
            response = self._bug(visit)
        if not response.prepared:
            response.headers.update(visit.ours)
        return response

    async def _answer(self, request: web.BaseRequest, visit: Visit) -> web.StreamResponse:
        check_size(request)
        target = read_target(request.raw_path)
        visit.path = target.path
        endpoint = self._duties.matcher.match(request.method, target.segments)
        if endpoint is None:
            return self._without_endpoint(request, target)
        visit.endpoint = endpoint
        operation = endpoint.operation
        if operation.upstream is Upstream.GATEWAY:
            return await self._duties.own[operation.path](request, target)
        visit.identified = await self._duties.identities.identify(request.headers, operation.access)
        if visit.identified is None and self._duties.reader.wants(request, endpoint):
            return await self._duties.reader.read(request, target, endpoint, visit)
        counted = await self._duties.throttle.admit(endpoint, visit)
        errand = make_errand(request, target, visit, endpoint, self._settings)
        if operation.sign_in:
            return await self._sign_in(request, visit, errand)
        if counted is not None:
            return await self._talk(request, errand, counted)
        if operation.method == "GET" or operation.quiet:
            return await self._duties.proxy.forward(request, errand)
        return await self._write(request, target, endpoint, errand)

    async def _write(
        self, request: web.BaseRequest, target: Target, endpoint: Endpoint, errand: Errand
    ) -> web.StreamResponse:
        response = None
        try:
            response = await self._duties.proxy.forward(request, errand)
        finally:
            self._duties.reader.written(endpoint, target, response)
        return response

    async def _talk(self, request: web.BaseRequest, errand: Errand, counted: Count) -> web.StreamResponse:
        status = None
        try:
            response = await self._duties.proxy.forward(request, errand)
            status = response.status
        finally:
            await self._duties.throttle.settle(counted, status)
        return response

    async def _sign_in(self, request: web.BaseRequest, visit: Visit, errand: Errand) -> web.StreamResponse:
        encoding = request.headers.get("Content-Encoding")
        attempt = await self._duties.sign_ins.enter(errand.body, visit, encoding)
        status = None
        try:
            response = await self._duties.proxy.forward(request, errand)
            status = response.status
        finally:
            await attempt.settle(status)
        return response

    def _without_endpoint(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        methods = self._duties.matcher.allowed(target.segments)
        if not methods:
            raise no_such_path(target.path)
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=self._duties.cors.preflight(methods))
        allow = {"Allow": ", ".join([*methods, "OPTIONS"])}
        raise MethodNotAllowed(f"{request.method} is not allowed for {target.path}", headers=allow)

    def _refuse(self, error: AppError, visit: Visit) -> web.StreamResponse:
        if (
            visit.endpoint is not None
            and visit.endpoint.operation.access is Access.SIGNED
            and error.status < 500
        ):
            # LiveKit takes a 4xx for delivered; what fails here is to be sent again.
            error = Unavailable(error.message, code=error.code)
        REFUSALS.labels(error.code).inc()
        response = render_error(error, development=self._settings.development)
        if error.status in {408, 413, 431}:
            response.force_close()
        return response

    def _bug(self, visit: Visit) -> web.StreamResponse:
        message = f"Something went wrong on our side (request {visit.request_id})"
        body = error_body(message, "internal", development=self._settings.development)
        return web.Response(body=body, status=500, content_type="application/json")

    def _record(self, request: web.BaseRequest, visit: Visit, status: int, started: float) -> None:
        user_id = visit.identified.caller.user_id if visit.identified else None
        self._duties.recorder.record(
            visit.endpoint,
            request.method,
            visit.path,
            status,
            started,
            visit.request_id,
            visit.client.address,
            user_id,
        )
