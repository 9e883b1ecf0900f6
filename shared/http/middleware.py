"""Around every operation of a service: request id, errors rendered, time and outcome recorded."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from shared.errors import AppError, MethodNotAllowed, NotFound
from shared.http.masking import masked_path, masked_unknown
from shared.http.reply import render_error, render_failure
from shared.http.request import REQUEST_ID_HEADER, is_request_id
from shared.http.session_service import REVOCATIONS_PATH
from shared.http.spans import answered, answering
from shared.ids import new_id
from shared.runtime import tracing
from shared.runtime.log import bind_request_id
from shared.runtime.metrics import REFUSALS, observe_request
from shared.runtime.tracing import Span

log = structlog.get_logger(__name__)

# aiohttp's name for a path -> the path as it was declared, and its parameters that no log may show.
DECLARED_PATHS: Final = web.AppKey("declared_paths", Mapping[str, tuple[str, Sequence[str]]])

AiohttpHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Polled by machines every second or so; their usual answers are not logged.
_POLLED: Final = frozenset({"/healthz", "/readyz", "/metrics", REVOCATIONS_PATH})
_AS_USUAL: Final = frozenset({200, 503})


def request_middleware(*, development: bool) -> Middleware:
    """The one middleware. `development`: errors are repeated in `message`."""

    @web.middleware
    async def middleware(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
        started = time.perf_counter()
        given = request.headers.get(REQUEST_ID_HEADER, "")
        request_id = given if is_request_id(given) else new_id()
        bind_request_id(request_id)
        with _step(request):
            try:
                response = await handler(request)
            except Exception as error:
                response = _render(error, request, request_id, development=development)
            if not response.prepared:
                response.headers[REQUEST_ID_HEADER] = request_id
            _record(request, response.status, time.perf_counter() - started, request_id)
        return response

    return middleware


def _step(request: web.Request) -> AbstractContextManager[Span]:
    """Of the trace of who calls: only our own services do, and the gateway passes no client's trace on."""
    if not tracing.is_on() or request.path in _POLLED:
        return tracing.NOTHING
    return answering(request.method, parent=request.headers.get(tracing.HEADER))


def _render(error: Exception, request: web.Request, request_id: str, *, development: bool) -> web.Response:
    if isinstance(error, web.HTTPNotFound):
        error = NotFound(f"There is no {request.path}", code="no_such_path")
    elif isinstance(error, web.HTTPMethodNotAllowed):
        allowed = {"Allow": ", ".join(sorted(error.allowed_methods))}
        error = MethodNotAllowed(f"{request.method} is not for {request.path}", headers=allowed)
    if isinstance(error, AppError):
        REFUSALS.labels(error.code).inc()
        return render_error(error, development=development)
    if isinstance(error, web.HTTPException):
        code = "internal" if error.status >= 500 else "refused"
        return render_failure(error.status, error.reason, code, development=development)
    log.exception("http.bug", method=request.method, path=_logged_path(request))
    message = f"Something went wrong on our side (request {request_id})"
    return render_failure(500, message, "internal", development=development)


def _record(request: web.Request, status: int, seconds: float, request_id: str) -> None:
    resource = request.match_info.route.resource
    operation = f"{request.method} {resource.canonical}" if resource else "unknown"
    observe_request(operation, status, seconds)
    if tracing.is_on():
        answered(operation, status, request_id)
    if resource is None or resource.canonical not in _POLLED or status not in _AS_USUAL:
        log.info(
            "http.request",
            operation=operation,
            path=_logged_path(request),
            status=status,
            ms=round(seconds * 1e3, 2),
        )


def _logged_path(request: web.Request) -> str:
    path, resource = request.rel_url.raw_path, request.match_info.route.resource
    if resource is None:
        return masked_unknown(path)
    template, secret = request.app[DECLARED_PATHS].get(resource.canonical, (resource.canonical, ()))
    return masked_path(path, template, secret)
