"""The path of every request: find the operation, authenticate, count, forward, record."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog
from aiohttp import web

from services.gateway.cache.read_cache import CachedResponse, ReadCache
from services.gateway.compat.apis import ForeignApis
from services.gateway.http.client_address import ClientAddressResolver
from services.gateway.http.context import RequestContext, RequestIds
from services.gateway.http.cors import Cors
from services.gateway.http.headers import add_defaults, check_head
from services.gateway.http.request_body import ClientGone
from services.gateway.identity.authenticator import Authenticator
from services.gateway.limiting.guesses import CodeThrottle
from services.gateway.limiting.limiter import RequestLimiter
from services.gateway.limiting.login import LoginThrottle
from services.gateway.routing.router import Endpoint, Router
from services.gateway.routing.table import Upstream
from services.gateway.routing.target import RequestTarget, no_such_path, parse_target
from services.gateway.server.access_log import RequestLogger
from services.gateway.upstreams.proxy import Proxy
from services.gateway.upstreams.request_builder import UpstreamRequest, UpstreamRequestBuilder
from shared.errors import AppError, BadGateway, MethodNotAllowed, Unavailable
from shared.http.masking import masked_path, masked_unknown
from shared.http.reply import render_error
from shared.http.request import REQUEST_ID_HEADER
from shared.http.routes import Access
from shared.runtime.log import bind_request_id
from shared.runtime.metrics import REFUSALS

log = structlog.get_logger(__name__)

BuiltinOperation = Callable[[web.BaseRequest, RequestTarget], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class GatewayComponents:
    """`builtin`: what the gateway answers itself, by path. `fixed_headers` are in every answer,
    `strict_transport` in those to clients who use https.
    """

    router: Router
    authenticator: Authenticator
    limiter: RequestLimiter
    login_throttle: LoginThrottle
    code_throttle: CodeThrottle
    requests: UpstreamRequestBuilder
    proxy: Proxy
    foreign: ForeignApis
    builtin: Mapping[str, BuiltinOperation]
    cors: Cors
    fixed_headers: Mapping[str, str]
    strict_transport: Mapping[str, str]
    clients: ClientAddressResolver
    request_ids: RequestIds
    cache: ReadCache
    logger: RequestLogger


class Attempt(Protocol):
    """A counted request; `finish` takes the status of its answer, None if the client did not wait for it."""

    async def finish(self, status: int | None) -> None: ...


class RequestHandler:
    """The one handler of the gateway. `development`: errors are repeated in `message`."""

    def __init__(self, components: GatewayComponents, *, development: bool):
        self._components = components
        self._development = development

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        started = time.perf_counter()
        cached = self._components.cache.find(request)
        if cached is not None:
            return self._respond_cached(request, cached, started)
        context = self._make_context(request)
        status = ClientGone.status
        try:
            response = await self._respond(request, context)
            status = response.status
        finally:
            self._record(request, context, status, started)
        return response

    def _respond_cached(
        self, request: web.BaseRequest, cached: CachedResponse, started: float
    ) -> web.StreamResponse:
        """A cached answer: routing and checks were done when it was fetched."""
        components = self._components
        request_id = components.request_ids.choose(request.headers.get(REQUEST_ID_HEADER))
        response = components.cache.respond(request, cached, request_id)
        client = components.clients.address_of(request)
        components.logger.record(
            cached.endpoint, "GET", cached.path, response.status, started, request_id, client, None
        )
        return response

    def _make_context(self, request: web.BaseRequest) -> RequestContext:
        headers = request.headers
        request_id = self._components.request_ids.choose(headers.get(REQUEST_ID_HEADER))
        bind_request_id(request_id)
        cors = self._components.cors.headers(headers.get("Origin"))
        client = self._components.clients.resolve(request)
        strict = self._components.strict_transport if client.scheme == "https" else {}
        extra_headers = {REQUEST_ID_HEADER: request_id, **self._components.fixed_headers, **strict, **cors}
        return RequestContext(request_id, client, extra_headers)

    async def _respond(self, request: web.BaseRequest, context: RequestContext) -> web.StreamResponse:
        try:
            response = await self._dispatch(request, context)
        except AppError as error:
            response = self._refuse(error, request, context)
        except Exception:
            log.exception("http.bug", method=request.method, path=context.path)
            message = f"Something went wrong on our side (request {context.request_id})"
            response = self._render(AppError(message), request)
        if not response.prepared:
            response.headers.update(context.extra_headers)
            add_defaults(response.headers)
        return response

    async def _dispatch(self, request: web.BaseRequest, context: RequestContext) -> web.StreamResponse:
        components = self._components
        check_head(request)
        target = parse_target(request.raw_path)
        endpoint = components.router.match(request.method, target.segments)
        if endpoint is None:
            return self._without_endpoint(request, target)
        context.endpoint = endpoint
        operation = endpoint.operation
        context.path = masked_path(target.path, endpoint.template, operation.secret)
        if operation.upstream is Upstream.GATEWAY:
            return await components.builtin[operation.path](request, target)
        context.authenticated = await components.authenticator.authenticate(
            request.headers, operation, context.client
        )
        if context.authenticated is None and components.cache.accepts(request, endpoint):
            read = components.requests.build(request, target, context, endpoint, shared=True)
            return await components.cache.fetch(
                request, endpoint, context, lambda: components.proxy.fetch(read)
            )
        attempt: Attempt | None = await components.limiter.admit(endpoint, context)
        if operation.policy.takes_code:
            attempt = await components.code_throttle.admit(context)
        if operation.upstream is Upstream.COMPAT:
            return await self._translate(request, target, context, endpoint, attempt)
        outgoing = components.requests.build(request, target, context, endpoint)
        if operation.policy.sign_in:
            encoding = request.headers.get("Content-Encoding")
            attempt = await components.login_throttle.admit(outgoing.body, context, encoding)
        return await self._forward(request, endpoint, outgoing, attempt)

    async def _translate(
        self,
        request: web.BaseRequest,
        target: RequestTarget,
        context: RequestContext,
        endpoint: Endpoint,
        attempt: Attempt | None,
    ) -> web.StreamResponse:
        """The answer of a foreign API's operation."""
        status = None
        try:
            response = await self._components.foreign.respond(request, target, context, endpoint)
            status = response.status
        except AppError as error:
            status = error.status
            raise
        finally:
            self._components.cache.drop_after_write(endpoint, status)
            if attempt is not None:
                await attempt.finish(status)
        return response

    async def _forward(
        self,
        request: web.BaseRequest,
        endpoint: Endpoint,
        outgoing: UpstreamRequest,
        attempt: Attempt | None,
    ) -> web.StreamResponse:
        status = None
        try:
            response = await self._components.proxy.forward(request, outgoing)
            status = response.status
        except (Unavailable, BadGateway) as error:
            status = error.status
            raise
        finally:
            self._components.cache.drop_after_write(endpoint, status)
            if attempt is not None:
                await attempt.finish(status)
        return response

    def _without_endpoint(self, request: web.BaseRequest, target: RequestTarget) -> web.StreamResponse:
        methods = self._components.router.allowed(target.segments)
        if not methods:
            raise no_such_path(target.path)
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=self._components.cors.preflight(methods))
        allow = {"Allow": ", ".join([*methods, "OPTIONS"])}
        raise MethodNotAllowed(f"{request.method} is not allowed for {target.path}", headers=allow)

    def _refuse(
        self, error: AppError, request: web.BaseRequest, context: RequestContext
    ) -> web.StreamResponse:
        signed = context.endpoint is not None and context.endpoint.operation.access is Access.SIGNED
        if signed and error.status < 500:
            # LiveKit takes a 4xx for delivered; what fails here is to be sent again.
            error = Unavailable(error.message, code=error.code)
        REFUSALS.labels(error.code).inc()
        response = self._render(error, request)
        if error.status in {408, 413, 431}:
            response.force_close()
        return response

    def _render(self, error: AppError, request: web.BaseRequest) -> web.Response:
        """In the form of the API that the path belongs to."""
        foreign = self._components.foreign.error_form(request.path)
        return foreign(error) if foreign else render_error(error, development=self._development)

    def _record(self, request: web.BaseRequest, context: RequestContext, status: int, started: float) -> None:
        self._components.logger.record(
            context.endpoint,
            request.method,
            context.path or masked_unknown(ascii(request.raw_path)[1:-1]),
            status,
            started,
            context.request_id,
            context.client.address,
            context.authenticated.caller if context.authenticated else None,
        )
