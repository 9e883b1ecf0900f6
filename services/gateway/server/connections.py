"""aiohttp's low-level server, with its own errors in our envelope and without its access log."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import LineTooLong
from aiohttp.http_parser import RawRequestMessage

from services.gateway.http.headers import HeadTooLarge
from services.gateway.http.request_body import BadRequest
from shared.errors import AppError
from shared.http.addresses import client_network
from shared.http.reply import render_error
from shared.runtime.health import Health
from shared.runtime.metrics import REFUSALS, observe_request

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class ConnectionCounts:
    """How many connections each client has: `most` at a time, unless it is `exempt`, as our proxies are."""

    def __init__(self, most: int, exempt: Callable[[str], bool]):
        self._most = most
        self._exempt = exempt
        self._counts: Counter[str] = Counter()

    def open(self, address: str) -> str | None:
        """Whom a new connection counts for, to be closed again; None if it is one too many."""
        client = client_network(address)
        if self._counts[client] >= self._most and not self._exempt(address):
            return None
        self._counts[client] += 1
        return client

    def close(self, client: str) -> None:
        self._counts[client] -= 1
        if not self._counts[client]:
            del self._counts[client]


class GatewayServer(web.Server):
    """One handler for every request; a client that goes away cancels it.

    Bodies are not decompressed. A connection that is idle, or whose request head is incomplete,
    is closed after `keepalive_seconds`; the unread rest of a refused body is taken for 2 s at most.
    """

    def __init__(
        self,
        handle: Handle,
        counts: ConnectionCounts,
        health: Health,
        *,
        keepalive_seconds: float,
        development: bool,
    ):
        super().__init__(handle, request_factory=partial(_Request, health), handler_cancellation=True)
        self.counts = counts
        self.development = development
        self._options: dict[str, Any] = {
            "access_log": None,
            "auto_decompress": False,
            "keepalive_timeout": keepalive_seconds,
            "lingering_time": 2.0,
            "max_line_size": 8190,
            "max_field_size": 8190,
            "max_headers": 100,
        }

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=asyncio.get_running_loop(), **self._options)


class _Request(web.BaseRequest):
    """Its answer closes the connection if the gateway stops: the client then connects to another one."""

    def __init__(
        self,
        health: Health,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ):
        super().__init__(message, payload, protocol, writer, task, asyncio.get_running_loop())
        self._health = health

    @property
    def keep_alive(self) -> bool:
        return super().keep_alive and not self._health.stopping


class _Connection(web.RequestHandler):
    __slots__ = ("_client", "_counts", "_development")

    def __init__(self, server: GatewayServer, **options: Any):
        super().__init__(server, **options)
        self._development = server.development
        self._counts = server.counts
        self._client: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._client = self._counts.open(str(peer[0]) if peer else "")
        if self._client is None:
            REFUSALS.labels("connections_exceeded").inc()
            cast(asyncio.Transport, transport).abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._client is not None:
            self._counts.close(self._client)
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers malformed HTTP, which never reaches the handler, and closes the connection."""
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        refusal: AppError = BadRequest("The request is not valid HTTP", code="not_http")
        if isinstance(exc, LineTooLong):
            refusal = HeadTooLarge("The request line or a header is longer than 8190 bytes")
        REFUSALS.labels(refusal.code).inc()
        observe_request("unknown", refusal.status, 0.0)
        response = render_error(refusal, development=self._development)
        response.force_close()
        return response
