"""What to ask of a service for a request that was let in."""

from typing import Final

from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from services.gateway.http.context import Visit
from services.gateway.http.headers import onward
from services.gateway.http.request_body import InboundBody
from services.gateway.routing.router import Endpoint
from services.gateway.routing.target import Target
from services.gateway.settings import GatewaySettings
from services.gateway.upstreams.proxy import Errand, Inquiry
from shared.errors import NotFound, UnsupportedMediaType
from shared.ids import is_id

# What the services can unpack, and the methods whose bodies they look at.
_READABLE: Final = ("gzip", "deflate", "identity")
_WITH_BODY: Final = frozenset({"POST", "PATCH"})
_NO_HEADERS: Final[CIMultiDictProxy[str]] = CIMultiDictProxy(CIMultiDict())


def make_errand(
    request: web.BaseRequest, target: Target, visit: Visit, endpoint: Endpoint, settings: GatewaySettings
) -> Errand:
    """Raises `NotFound` for a library that cannot exist, `UnsupportedMediaType` for an unreadable body."""
    operation = endpoint.operation
    _check_encoding(request)
    library_id, path = _library(target, endpoint)
    return Errand(
        upstream=operation.upstream,
        method=request.method,
        target=path + target.query,
        headers=onward(
            request.headers,
            client=visit.client,
            request_id=visit.request_id,
            authorization=visit.identified.authorization if visit.identified else None,
            library_id=library_id,
            with_body=request.method in _WITH_BODY,
        ),
        ours=visit.ours,
        body=InboundBody(request, limit=operation.body_limit, seconds=settings.body_read_seconds),
        deadline=operation.deadline or settings.upstream_deadline_seconds,
    )


def _check_encoding(request: web.BaseRequest) -> None:
    encoding = request.headers.get("Content-Encoding")
    if encoding is not None and request.method in _WITH_BODY and encoding.lower() not in _READABLE:
        raise UnsupportedMediaType(
            f"The body is compressed with {encoding}", headers={"Accept-Encoding": ", ".join(_READABLE)}
        )


def make_inquiry(target: Target, visit: Visit, endpoint: Endpoint, settings: GatewaySettings) -> Inquiry:
    """A read for whoever wants to know; `visit` is of the first. Raises `NotFound` as `make_errand` does."""
    operation = endpoint.operation
    library_id, path = _library(target, endpoint)
    return Inquiry(
        upstream=operation.upstream,
        target=path + target.query,
        headers=onward(
            _NO_HEADERS,
            client=visit.client,
            request_id=visit.request_id,
            authorization=None,
            library_id=library_id,
        ),
        deadline=operation.deadline or settings.upstream_deadline_seconds,
    )


def _library(target: Target, endpoint: Endpoint) -> tuple[str | None, str]:
    """The library of /libraries/{library_id}/…, if it is one, and the path behind it as it was sent."""
    if not endpoint.in_library:
        return None, target.path
    library_id = target.segments[1]
    if not is_id(library_id):
        raise NotFound("There is no such library", code="library_not_found")
    return library_id.lower(), "/" + target.path.split("/", 3)[3]
