"""An answer as it is cached: its head and body encoded once."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs
from multidict import CIMultiDict

from services.gateway.http.encoded_response import EncodedResponse, encode_headers, encoded_date
from services.gateway.http.headers import FIXED, client_headers
from services.gateway.routing.router import Endpoint
from services.gateway.upstreams.proxy import UpstreamResponse

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


def make_cached_response(endpoint: Endpoint, path: str, response: UpstreamResponse) -> CachedResponse | None:
    """None if the answer must not be cached."""
    control = response.headers.get(hdrs.CACHE_CONTROL, "")
    is_json = response.headers.get(hdrs.CONTENT_TYPE, "").startswith("application/json")
    if response.status != 200 or not is_json or any(word in control for word in _PRIVATE):
        return None
    body = response.body
    headers = client_headers(response.headers, FIXED)
    headers.popall(hdrs.DATE, None)
    digest = hashlib.blake2b(_TIMESTAMP.sub(b"", body), digest_size=16).hexdigest()
    headers["ETag"] = etag = f'W/"{digest}"'
    lines = encode_headers(headers)
    found = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%b" % (len(body), lines)
    unchanged = b"HTTP/1.1 304 Not Modified\r\n" + lines
    return CachedResponse(endpoint, path, etag, found, unchanged, headers, body)
