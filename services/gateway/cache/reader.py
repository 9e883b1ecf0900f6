"""Public reads without credentials, answered from the cache where they can be."""

from functools import partial
from typing import Final

from aiohttp import hdrs, web
from multidict import CIMultiDict, istr

from services.gateway.cache.cache import READS, Question, ReadCache
from services.gateway.cache.encoded import Encoder
from services.gateway.cache.entry import LISTS, Entry, ids_in, make_entry, path_tags
from services.gateway.http.context import Visit
from services.gateway.http.cors import Cors
from services.gateway.http.headers import FIXED, head_fits, homeward
from services.gateway.request_ids import HEADER as REQUEST_ID
from services.gateway.routing.router import Endpoint
from services.gateway.routing.target import Target
from services.gateway.settings import GatewaySettings
from services.gateway.upstreams.proxy import Fetched, Proxy
from services.gateway.upstreams.requests import make_inquiry

_API_KEY: Final = istr("X-API-Key")
_PRIVATE: Final = ("no-store", "private")


class Reader:
    def __init__(self, cache: ReadCache, proxy: Proxy, cors: Cors, settings: GatewaySettings):
        self._cache = cache
        self._proxy = proxy
        self._cors = cors
        self._settings = settings
        self._encoder = Encoder()

    def find(self, request: web.BaseRequest) -> Entry | None:
        """The kept answer to this request, if there is one. Called first of all: a hit is found by its
        target as it was sent."""
        if request.method != "GET":
            return None
        entry = self._cache.find(request.raw_path)
        if entry is None or not _anonymous(request) or not head_fits(request):
            return None
        READS.counts["hit"] += 1
        return entry

    def wants(self, request: web.BaseRequest, endpoint: Endpoint) -> bool:
        """Whether the answer to this request may be shared with others."""
        if not endpoint.operation.cached or request.method != "GET" or not _anonymous(request):
            return False
        if not self._cache.listening:
            READS.counts["bypass"] += 1
        return self._cache.listening

    async def read(
        self, request: web.BaseRequest, target: Target, endpoint: Endpoint, visit: Visit
    ) -> web.StreamResponse:
        """Ask the service, together with whoever else wants to know; raises as `Proxy.fetch` does."""
        inquiry = make_inquiry(target, visit, endpoint, self._settings)

        question = Question(
            key=request.raw_path,
            tags=path_tags(endpoint, target.segments),
            ask=lambda: self._proxy.fetch(inquiry),
            build=partial(_build, endpoint, target.path),
        )
        outcome = await self._cache.obtain(question)
        if outcome.entry is not None:
            return self.respond(request, outcome.entry, visit.request_id)
        fetched = outcome.fetched
        headers = homeward(fetched.headers, visit.ours)
        return web.Response(status=fetched.status, reason=fetched.reason, headers=headers, body=fetched.body)

    def respond(self, request: web.BaseRequest, entry: Entry, request_id: str) -> web.StreamResponse:
        """The answer of an entry, or 304 where the client has it."""
        known = entry.matches(request.headers.get(hdrs.IF_NONE_MATCH))
        origin = request.headers.get(hdrs.ORIGIN)
        if self._encoder.suits(request):
            cors = self._cors.encoded(origin)
            return self._encoder.response(entry, request_id, cors, known=known)
        headers = CIMultiDict(entry.headers)
        headers.update(self._cors.headers(origin))
        headers[REQUEST_ID] = request_id
        if known:
            return web.Response(status=304, headers=headers)
        return web.Response(headers=headers, body=entry.body)

    def written(self, endpoint: Endpoint, target: Target, response: web.StreamResponse | None) -> None:
        """Something was written, or may have been (None): what shows it is given no more from now on.

        Besides what the path names, that is whatever the answer names: the room of a session started.
        """
        if endpoint.operation.quiet or (response is not None and 400 <= response.status < 500):
            return
        tags = path_tags(endpoint, target.segments) | {LISTS}
        if isinstance(response, web.Response) and isinstance(response.body, bytes):
            tags |= ids_in(response.body)
        self._cache.change(tags)


def _build(
    endpoint: Endpoint, path: str, fetched: Fetched, tags: frozenset[str], expires_at: float
) -> Entry | None:
    """An entry of the answer, where it may be kept."""
    control = fetched.headers.get(hdrs.CACHE_CONTROL, "")
    is_json = fetched.headers.get(hdrs.CONTENT_TYPE, "").startswith("application/json")
    if fetched.status != 200 or not is_json or any(word in control for word in _PRIVATE):
        return None
    headers = homeward(fetched.headers, FIXED)
    headers.popall(hdrs.DATE, None)
    return make_entry(endpoint, path, fetched, headers, tags, expires_at)


def _anonymous(request: web.BaseRequest) -> bool:
    headers = request.headers
    return hdrs.AUTHORIZATION not in headers and _API_KEY not in headers and not request.body_exists
