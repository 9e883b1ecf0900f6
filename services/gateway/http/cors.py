"""Cross-origin reading: browsers of any configured origin may call, with tokens, never with cookies."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from services.gateway.http.encoded_response import encode_headers

EXPOSED: Final = (
    "X-Request-Id, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Location, ETag, "
    "Content-Disposition, Content-Range, Link"
)
# "*" stands for every header but Authorization.
_HEADERS = "*, Authorization, Content-Type, Idempotency-Key, X-API-Key, X-Request-Id"
_KEPT = "7200"


class Cors:
    """`origins` are allowed; "*" allows every one."""

    def __init__(self, origins: Sequence[str]):
        self._any = "*" in origins
        self._origins = frozenset(origins)
        self._open = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": EXPOSED}
        self._open_lines = encode_headers(self._open)

    def headers(self, origin: str | None) -> Mapping[str, str]:
        """The headers of every answer to a request from `origin`."""
        if self._any:
            return self._open
        if origin is None or origin not in self._origins:
            return {"Vary": "Origin"}
        return self._open | {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}

    def encoded(self, origin: str | None) -> bytes:
        """The same as lines of a head."""
        if self._any:
            return self._open_lines
        return encode_headers(self.headers(origin))

    @staticmethod
    def preflight(methods: Iterable[str]) -> Mapping[str, str]:
        """The additional headers of an answer to OPTIONS."""
        allowed = ", ".join([*methods, "OPTIONS"])
        return {
            "Allow": allowed,
            "Access-Control-Allow-Methods": allowed,
            "Access-Control-Allow-Headers": _HEADERS,
            "Access-Control-Max-Age": _KEPT,
        }
