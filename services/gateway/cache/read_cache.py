"""Public reads without credentials, requested once for all who ask and kept for a second."""

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from aiohttp import hdrs, web
from multidict import CIMultiDict, istr
from prometheus_client import Counter, Gauge

from services.gateway.http.context import RequestContext
from services.gateway.http.cors import Cors
from services.gateway.http.encoded_response import (
    EncodedResponse,
    encode_headers,
    encoded_date,
    takes_encoded,
)
from services.gateway.http.headers import client_headers, head_fits
from services.gateway.routing.router import Endpoint
from services.gateway.upstreams.proxy import UpstreamResponse
from shared.http.reply import etag_matches
from shared.http.request import REQUEST_ID_HEADER
from shared.runtime.metrics import LabelledCounter
from shared.runtime.ttl_cache import TtlCache

READS = LabelledCounter(
    "greenroom_gateway_cache_reads",
    "Reads that could be cached, by outcome",
    "outcome",
    ["hit", "miss", "shared"],
)
_DROPPED = Counter("greenroom_gateway_cache_dropped_total", "Entries dropped because something changed")
_ENTRIES = Gauge("greenroom_gateway_cache_entries", "Answers kept")
_BYTES = Gauge("greenroom_gateway_cache_bytes", "Bytes of the answers kept, about")

# One answer may take this part of all bytes at most.
_LARGEST: Final = 8
_API_KEY: Final = istr("X-API-Key")

# The envelope's own time says when it was rendered, not what it says.
_TIMESTAMP = re.compile(rb',"timestamp":\d+\}$')
_PRIVATE: Final = ("no-store", "private")
# What an answer costs beside its bytes, roughly measured.
_OVERHEAD: Final = 1024


@dataclass(frozen=True, slots=True, eq=False)
class CachedResponse:
    """`found` and `unchanged` are the encoded heads of 200 and 304 without date, request id and CORS;
    `headers` the same for clients that need another form."""

    endpoint: Endpoint
    path: str
    etag: str
    found: bytes
    unchanged: bytes
    headers: CIMultiDict[str]
    body: bytes

    @property
    def size(self) -> int:
        """Bytes, about."""
        return len(self.body) + 2 * len(self.found) + _OVERHEAD

    def encode(self, request_id: str, cors: bytes, *, known: bool) -> EncodedResponse:
        """The answer, or 304 if it is `known` to the client."""
        head, body, status = (self.unchanged, b"", 304) if known else (self.found, self.body, 200)
        own = b"X-Request-Id: %b\r\n\r\n" % request_id.encode()
        return EncodedResponse(status, b"".join((head, encoded_date(), cors, own, body)))


def make_cached_response(
    endpoint: Endpoint, path: str, response: UpstreamResponse, fixed_headers: Mapping[str, str]
) -> CachedResponse | None:
    """None if the answer must not be cached. Others may keep it as well, and ask each time if it holds."""
    control = response.headers.get(hdrs.CACHE_CONTROL, "")
    is_json = response.headers.get(hdrs.CONTENT_TYPE, "").startswith("application/json")
    if response.status != 200 or not is_json or any(word in control for word in _PRIVATE):
        return None
    body = response.body
    headers = client_headers(response.headers, {hdrs.CACHE_CONTROL: control or "no-cache", **fixed_headers})
    headers.popall(hdrs.DATE, None)
    digest = hashlib.blake2b(_TIMESTAMP.sub(b"", body), digest_size=16).hexdigest()
    headers["ETag"] = etag = f'W/"{digest}"'
    lines = encode_headers(headers)
    found = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%b" % (len(body), lines)
    unchanged = b"HTTP/1.1 304 Not Modified\r\n" + lines
    return CachedResponse(endpoint, path, etag, found, unchanged, headers, body)


Answer: TypeAlias = tuple[UpstreamResponse, CachedResponse | None]


class ReadCache:
    """Answers live for `seconds`, counted from when the service was asked; each has the `fixed_headers`."""

    def __init__(
        self,
        cors: Cors,
        fixed_headers: Mapping[str, str],
        seconds: float,
        max_entries: int,
        max_bytes: int,
    ):
        self._cors = cors
        self._fixed_headers = fixed_headers
        largest = max_bytes // _LARGEST

        def size_of(answer: Answer) -> int | None:
            cached = answer[1]
            return cached.size if cached is not None and cached.size <= largest else None

        self._answers: TtlCache[Answer] = TtlCache(
            seconds, max_entries=max_entries, max_size=max_bytes, size_of=size_of
        )
        _ENTRIES.set_function(lambda: len(self._answers))
        _BYTES.set_function(lambda: self._answers.size)

    def find(self, request: web.BaseRequest) -> CachedResponse | None:
        """The cached answer, if there is one. Called first of all, hence by the target as it was sent."""
        if request.method != "GET":
            return None
        answer = self._answers.find(request.raw_path)
        if answer is None or not _anonymous(request) or not head_fits(request):
            return None
        READS.counts["hit"] += 1
        return answer[1]

    def accepts(self, request: web.BaseRequest, endpoint: Endpoint) -> bool:
        """Whether the answer to this request may be shared with others."""
        return endpoint.operation.policy.cached and request.method == "GET" and _anonymous(request)

    async def fetch(
        self,
        request: web.BaseRequest,
        endpoint: Endpoint,
        context: RequestContext,
        ask: Callable[[], Awaitable[UpstreamResponse]],
    ) -> web.StreamResponse:
        """The service's answer, asked for once for all who want it at the same time; raises as `ask` does."""

        async def make() -> Answer:
            response = await ask()
            return response, make_cached_response(endpoint, context.path, response, self._fixed_headers)

        READS.counts["shared" if request.raw_path in self._answers else "miss"] += 1
        response, cached = await self._answers.get(request.raw_path, make)
        if cached is not None:
            return self.respond(request, cached, context.request_id)
        headers = client_headers(response.headers, context.extra_headers)
        return web.Response(
            status=response.status, reason=response.reason, headers=headers, body=response.body
        )

    def respond(
        self, request: web.BaseRequest, cached: CachedResponse, request_id: str
    ) -> web.StreamResponse:
        """The cached answer, or 304 if the client has it."""
        known = etag_matches(request.headers.getall(hdrs.IF_NONE_MATCH, ()), cached.etag)
        origin = request.headers.get(hdrs.ORIGIN)
        if takes_encoded(request):
            return cached.encode(request_id, self._cors.encoded(origin), known=known)
        headers = CIMultiDict(cached.headers)
        headers.update(self._cors.headers(origin))
        headers[REQUEST_ID_HEADER] = request_id
        return web.Response(
            status=304 if known else 200, headers=headers, body=None if known else cached.body
        )

    def drop_after_write(self, endpoint: Endpoint, status: int | None) -> None:
        """Drop everything after a write that succeeded, or may have (`status` None or 5xx)."""
        operation = endpoint.operation
        refused = status is not None and 400 <= status < 500
        if operation.method != "GET" and not operation.policy.keeps_cache and not refused:
            _DROPPED.inc(len(self._answers))
            self._answers.clear()

    async def close(self) -> None:
        await self._answers.close()


def _anonymous(request: web.BaseRequest) -> bool:
    headers = request.headers
    return hdrs.AUTHORIZATION not in headers and _API_KEY not in headers and not request.body_exists
