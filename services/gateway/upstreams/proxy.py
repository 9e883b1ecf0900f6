"""Forwards a request to a service and its answer to the client, both unchanged."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import ClientError, ClientResponse, web
from multidict import CIMultiDict, CIMultiDictProxy
from prometheus_client import Counter

from services.gateway.http.client_pace import ClientPace
from services.gateway.http.headers import client_headers
from services.gateway.http.request_body import PausableDeadline, Payload
from services.gateway.upstreams.fair_slots import FairSlots
from services.gateway.upstreams.pools import Pool, Upstreams
from services.gateway.upstreams.request_builder import UpstreamRequest
from shared.errors import AppError, BadGateway, DeadlineExceeded, Unavailable
from shared.http.connections import REFUSED, repeated
from shared.http.spans import answered_with, asking
from shared.runtime import tracing

log = structlog.get_logger(__name__)

FAILURES = Counter(
    "greenroom_gateway_upstream_failures_total", "Requests a service did not answer", ["upstream", "code"]
)
# Answers up to this are read whole and sent in one write.
_BUFFERED: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class UpstreamResponse:
    """A service's answer, whole."""

    status: int
    reason: str | None
    headers: CIMultiDictProxy[str]
    body: bytes


class Proxy:
    def __init__(self, upstreams: Upstreams):
        self._upstreams = upstreams

    async def forward(self, request: web.BaseRequest, outgoing: UpstreamRequest) -> web.StreamResponse:
        """The service's answer, whatever its status.

        Raises `Unavailable` if the service is unreachable, `DeadlineExceeded`, and `BadGateway` if it closed
        the connection before the client received any of the answer.
        """
        pool = self._upstreams[outgoing.upstream]
        data = await outgoing.body.payload()
        async with _place(pool, outgoing, data):
            return await self._send(request, outgoing, pool, data)

    async def _send(
        self, request: web.BaseRequest, outgoing: UpstreamRequest, pool: Pool, data: Payload
    ) -> web.StreamResponse:
        try:
            async with PausableDeadline(outgoing.deadline) as deadline:
                outgoing.body.deadline = deadline
                whole_body = data is None or isinstance(data, bytes)
                answer, whole = await repeated(
                    lambda: _ask(pool, outgoing, data), pool.name, lost=outgoing.repeatable and whole_body
                )
        except (TimeoutError, ClientError, OSError) as error:
            raise outgoing.body.failure or _refusal(pool, error, outgoing.deadline) from error
        headers = client_headers(answer.headers, outgoing.extra_headers)
        if whole is not None:
            return web.Response(status=answer.status, reason=answer.reason, headers=headers, body=whole)
        async with answer, _late_place(pool, outgoing):
            return await _stream(request, answer, headers, outgoing)

    async def fetch(self, outgoing: UpstreamRequest) -> UpstreamResponse:
        """The service's whole answer, whatever its status; raises as `forward` does."""
        return await self.call(
            outgoing.upstream, "GET", outgoing.target, outgoing.headers, deadline=outgoing.deadline
        )

    async def call(
        self,
        upstream: str,
        method: str,
        target: str,
        headers: CIMultiDict[str],
        data: bytes | None = None,
        *,
        deadline: float,
    ) -> UpstreamResponse:
        """A call of the gateway's own, with `data` as its body; otherwise as `fetch`."""
        pool = self._upstreams[upstream]

        async def ask() -> UpstreamResponse:
            with asking(pool.name, method) as span:
                headers.update(tracing.headers())
                async with pool.http.request(
                    method, pool.url(target), data=data, headers=headers, allow_redirects=False
                ) as answer:
                    answered_with(span, answer.status)
                    return UpstreamResponse(answer.status, answer.reason, answer.headers, await answer.read())

        try:
            async with asyncio.timeout(deadline):
                return await repeated(ask, pool.name, lost=method == "GET")
        except (TimeoutError, ClientError, OSError) as error:
            raise _refusal(pool, error, deadline) from error


async def _ask(pool: Pool, outgoing: UpstreamRequest, data: Payload) -> tuple[ClientResponse, bytes | None]:
    """The answer, and its body if it is small."""
    # aiohttp keeps HEAD from having a body; the services know GET alone.
    method = "GET" if outgoing.method == "HEAD" else outgoing.method
    with asking(pool.name, method) as span:
        outgoing.headers.update(tracing.headers())
        answer = await pool.http.request(
            method, pool.url(outgoing.target), data=data, headers=outgoing.headers, allow_redirects=False
        )
        answered_with(span, answer.status)
        return answer, await _read_small(answer, is_write=method != "GET")


def _place(pool: Pool, outgoing: UpstreamRequest, data: Payload) -> AbstractAsyncContextManager[None]:
    """A body that is still being received, and a file, wait for a place before they take a connection; raises
    `Unavailable` if there is none within the deadline."""
    if not (data is None or isinstance(data, bytes)):
        return _slot(pool.uploads, outgoing, outgoing.deadline, "uploads")
    if outgoing.is_download:
        return _slot(pool.downloads, outgoing, outgoing.deadline, "downloads")
    return nullcontext()


def _late_place(pool: Pool, outgoing: UpstreamRequest) -> AbstractAsyncContextManager[None]:
    """A place for an answer that turned out to be large. It does not wait: it has a connection already."""
    if outgoing.is_download:
        return nullcontext()
    return _slot(pool.downloads, outgoing, 0, "downloads")


@asynccontextmanager
async def _slot(
    slots: FairSlots, outgoing: UpstreamRequest, patience: float, what: str
) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(slots.hold(outgoing.client, patience))
        except TimeoutError:
            raise Unavailable(f"Too many large {what} at the same time", code=f"{what}_busy") from None
        yield


async def _read_small(answer: ClientResponse, *, is_write: bool) -> bytes | None:
    """The body, if it is small, or answers a write and has a declared length."""
    if answer.content_length is None or (answer.content_length > _BUFFERED and not is_write):
        return None
    try:
        return await answer.read()
    except asyncio.CancelledError:
        answer.close()
        raise


async def _stream(
    request: web.BaseRequest,
    answer: ClientResponse,
    headers: CIMultiDict[str],
    outgoing: UpstreamRequest,
) -> web.StreamResponse:
    """Both ends must go on: the service within the deadline, and the client at the slowest pace at least."""
    response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=headers)
    response.content_length = answer.content_length
    pace = ClientPace(outgoing.deadline)
    try:
        async with PausableDeadline(outgoing.deadline) as deadline:
            await response.prepare(request)
            if request.method != "HEAD":
                async for piece in answer.content.iter_any():
                    deadline.pause()
                    await pace.wait(response.write(piece))
                    pace.moved(len(piece))
                    deadline.restart()
    except (TimeoutError, ClientError, OSError) as error:
        # The status is sent: only a broken connection can still say that the answer is not whole.
        log.warning("gateway.broken_off", upstream=outgoing.upstream, error=type(error).__name__)
        FAILURES.labels(outgoing.upstream, "broken_off").inc()
        if request.transport is not None:
            request.transport.abort()
    return response


def _refusal(pool: Pool, error: Exception, deadline: float) -> AppError:
    refusal: AppError
    if isinstance(error, REFUSED):
        refusal = Unavailable(f"The {pool.name} service cannot be reached", code="upstream_unreachable")
    elif isinstance(error, TimeoutError):
        refusal = DeadlineExceeded(f"The {pool.name} service did not answer within {deadline:g} s")
    else:
        refusal = BadGateway(f"The {pool.name} service closed the connection before it answered")
    FAILURES.labels(pool.name, refusal.code).inc()
    return refusal
