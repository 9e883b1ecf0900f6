"""Cross-origin reading: browsers of any configured origin may call, with tokens, never with cookies."""

import re
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


ANY: Final = "*"
_MANY: Final = "://*."
# As browsers send it (RFC 6454, 6.2): in small letters, without a path, and with a port only if it is not the
# scheme's own.
_HOST: Final = r"((\*\.)?([a-z0-9-]+\.)*[a-z0-9-]+|\[[0-9a-f:.]+\])"
_ORIGIN: Final = re.compile(rf"https?://{_HOST}(:[0-9]{{1,5}})?")
_REDUNDANT_PORT: Final = re.compile(r"http://.*:80|https://.*:443")


def is_origin(text: str) -> bool:
    """Whether this is an origin as browsers write it, or one with `*` for every subdomain."""
    return _ORIGIN.fullmatch(text) is not None and _REDUNDANT_PORT.fullmatch(text) is None


class Cors:
    """`origins` are allowed, each as `is_origin` takes it; "*" allows every one."""

    def __init__(self, origins: Sequence[str]):
        self._any = ANY in origins
        self._origins = frozenset(origins)
        self._subdomains = [
            re.compile(re.escape(origin).replace(r"\*", "[^/:@]+")) for origin in origins if _MANY in origin
        ]
        self._open = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": EXPOSED}
        self._open_lines = encode_headers(self._open)

    def headers(self, origin: str | None) -> Mapping[str, str]:
        """The headers of every answer to a request from `origin`."""
        if self._any:
            return self._open
        if origin is None or not self._allows(origin):
            return {"Vary": "Origin"}
        return self._open | {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}

    def _allows(self, origin: str) -> bool:
        return origin in self._origins or any(one.fullmatch(origin) for one in self._subdomains)

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
