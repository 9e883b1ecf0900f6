"""Which headers are passed on, in both directions."""

from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping
from itertools import chain
from typing import Final

from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from services.gateway.http.client_address import ClientAddress
from shared.errors import AppError
from shared.http.request import LIBRARY_HEADER

HEAD_LIMIT: Final = 32 * 1024

_PROXY: Final = {"proxy-authenticate", "proxy-authorization", "proxy-connection"}
# About one connection only (RFC 9110, 7.6.1), never for the next.
HOP_BY_HOP: Final = _PROXY | {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
_FORWARDED: Final = {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}
# Services take ours for the trace that they continue.
_TRACE: Final = {"traceparent", "tracestate"}
# Set by us, answered by us, or a secret that only we need.
_NOT_UPSTREAM: Final = HOP_BY_HOP | _FORWARDED | _TRACE | {"expect", "host", "x-api-key", "x-request-id"}
_NOT_CLIENT: Final = HOP_BY_HOP | {"content-length", "server", "x-request-id"}
# Whose values are a list, which may be spread over several lines (RFC 9110, 5.3). Of those that are read here
# or by a service, all lines are read.
_LISTS: Final = frozenset(
    {b"accept", b"accept-charset", b"accept-encoding", b"accept-language", b"cache-control", b"connection"}
    | {b"access-control-request-headers", b"if-match", b"if-none-match"}
    | {b"cookie", b"forwarded", b"keep-alive", b"pragma", b"prefer", b"te", b"trailer", b"upgrade", b"via"}
    | {b"warning", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"}
    # Of tracing, which load balancers add to (W3C Trace Context and Baggage).
    | {b"baggage", b"tracestate"}
)
_INTERNAL_PREFIX = "x-greenroom-"
NO_HEADERS: Final[CIMultiDictProxy[str]] = CIMultiDictProxy(CIMultiDict())
# In every answer, from a service or from the gateway. Addresses hold tokens of streams and files.
FIXED: Final = {
    "Server": "greenroom",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# In every answer that does not decide it for itself: most are the data of one caller. CORS requests, with
# which pages of other origins call us, are not subject to Cross-Origin-Resource-Policy; what they put into
# `<video>` or `<img>` is. The frame-ancestors of a page's own policy win over X-Frame-Options.
_DEFAULTS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class HeadTooLarge(AppError):
    """431: the request line, a header, or all headers together are too long."""

    status = 431
    code = "head_too_large"


class RepeatedHeader(AppError):
    """400: a header that has one value was sent more than once."""

    status = 400
    code = "header_repeated"


def head_fits(request: web.BaseRequest) -> bool:
    """Whether the head is as short and as clear as `check_head` demands."""
    return _fits(request) and not _repeated(request)


def check_head(request: web.BaseRequest) -> None:
    """Raises `HeadTooLarge` if all headers together have more than 32 KiB; the parser bounds each of them.

    Raises `RepeatedHeader` for one that is no list: the gateway would look at its first value, and the
    service perhaps at its last.
    """
    if not _fits(request):
        raise HeadTooLarge(f"The headers are longer than {HEAD_LIMIT} bytes")
    repeated = _repeated(request)
    if repeated is not None:
        raise RepeatedHeader(f"{repeated} may be sent once")


def _fits(request: web.BaseRequest) -> bool:
    headers = request.raw_headers
    return sum(map(len, chain.from_iterable(headers))) + 4 * len(headers) <= HEAD_LIMIT


def _repeated(request: web.BaseRequest) -> str | None:
    names = [name.lower() for name, _ in request.raw_headers]
    if len(set(names)) == len(names):
        return None
    repeated = {name for name, times in Counter(names).items() if times > 1} - _LISTS
    return min(repeated).decode("ascii", "replace") if repeated else None


def upstream_headers(
    headers: CIMultiDictProxy[str],
    *,
    client: ClientAddress,
    request_id: str,
    authorization: str | None,
    library_id: str | None,
    with_body: bool = True,
) -> CIMultiDict[str]:
    """The headers for the service; `authorization` replaces the client's if there is an authenticated caller.

    A body that no service reads is not declared as compressed: it would have to be unpacked.
    """
    passed = CIMultiDict(
        _without(headers, _NOT_UPSTREAM if with_body else _NOT_UPSTREAM | {"content-encoding"})
    )
    for name in [name for name in passed if name.lower().startswith(_INTERNAL_PREFIX)]:
        passed.popall(name, None)
    passed["X-Forwarded-For"] = client.address
    passed["X-Forwarded-Proto"] = client.scheme
    passed["X-Forwarded-Host"] = client.host
    passed["X-Request-Id"] = request_id
    if authorization is not None:
        passed["Authorization"] = authorization
    if library_id is not None:
        passed[LIBRARY_HEADER] = library_id
    return passed


def client_headers(headers: CIMultiDictProxy[str], extra_headers: Mapping[str, str]) -> CIMultiDict[str]:
    """The headers for the client: the service's, overridden by `extra_headers`, over our defaults."""
    passed = CIMultiDict(_without(headers, _NOT_CLIENT))
    for name in [name for name in passed if name.lower().startswith("access-control-")]:
        passed.popall(name, None)
    vary = passed.getall("Vary", None) if "Vary" in extra_headers else None
    passed.update(extra_headers)
    if vary:
        passed["Vary"] = ", ".join([*vary, extra_headers["Vary"]])
    add_defaults(passed)
    return passed


def add_defaults(headers: MutableMapping[str, str]) -> None:
    """Add what an answer of ours has unless it says otherwise."""
    for name, value in _DEFAULTS.items():
        headers.setdefault(name, value)


def _without(headers: CIMultiDictProxy[str], dropped: set[str]) -> Iterable[tuple[str, str]]:
    connection = ",".join(headers.getall("Connection", ())).lower()
    if connection not in {"", "keep-alive", "close"}:
        dropped = dropped | {name.strip() for name in connection.split(",")}
    return [(name, value) for name, value in headers.items() if name.lower() not in dropped]
