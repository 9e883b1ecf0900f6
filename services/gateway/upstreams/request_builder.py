"""Builds the requests to services."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from multidict import CIMultiDict

from services.gateway.http.context import RequestContext
from services.gateway.http.headers import NO_HEADERS, upstream_headers
from services.gateway.http.request_body import RequestBody
from services.gateway.routing.router import Endpoint
from services.gateway.routing.table import Operation
from services.gateway.routing.target import RequestTarget
from shared.errors import NotFound, UnsupportedMediaType
from shared.http.addresses import client_network
from shared.http.idempotency import HEADER as IDEMPOTENCY_HEADER
from shared.ids import is_id

# The encodings that services can unpack, and the methods whose bodies they read.
_READABLE: Final = ("gzip", "deflate", "identity")
_WITH_BODY: Final = frozenset({"POST", "PATCH"})
_READS: Final = frozenset({"GET", "HEAD"})


@dataclass(slots=True)
class UpstreamRequest:
    """`target` is the encoded path and query; `extra_headers` are for the answer; `deadline` in seconds.

    `client` is who shares connections with others: an address, or the network that counts as one.
    `is_download`: the answer is a file. `repeatable`: it may be sent again if its answer was lost.
    """

    upstream: str
    method: str
    target: str
    headers: CIMultiDict[str]
    extra_headers: Mapping[str, str]
    body: RequestBody
    deadline: float
    client: str
    is_download: bool
    repeatable: bool


class UpstreamRequestBuilder:
    """`deadline`: the seconds a service has for each step, unless the operation has its own;
    `body_seconds`: those that a client has to send a small body."""

    def __init__(self, deadline: float, body_seconds: float):
        self._deadline = deadline
        self._body_seconds = body_seconds

    def build(
        self,
        request: web.BaseRequest,
        target: RequestTarget,
        context: RequestContext,
        endpoint: Endpoint,
        *,
        shared: bool = False,
    ) -> UpstreamRequest:
        """`shared`: many may get the answer, so that none of the client's own headers is passed on.

        Raises `NotFound` if the library cannot exist, `UnsupportedMediaType` if the body is unreadable.
        """
        operation = endpoint.operation
        _check_encoding(request)
        library_id, path = _library(target, endpoint)
        return UpstreamRequest(
            upstream=operation.upstream,
            method=request.method,
            target=path + target.query,
            headers=upstream_headers(
                NO_HEADERS if shared else request.headers,
                client=context.client,
                request_id=context.request_id,
                authorization=context.authenticated.authorization if context.authenticated else None,
                library_id=library_id,
                with_body=request.method in _WITH_BODY,
            ),
            extra_headers=context.extra_headers,
            body=RequestBody(request, limit=operation.policy.body_limit, seconds=self._body_seconds),
            deadline=operation.policy.deadline or self._deadline,
            client=client_network(context.client.address),
            is_download=operation.policy.is_download,
            repeatable=_is_repeatable(request, operation),
        )


def _is_repeatable(request: web.BaseRequest, operation: Operation) -> bool:
    return request.method in _READS or (operation.idempotent and IDEMPOTENCY_HEADER in request.headers)


def _check_encoding(request: web.BaseRequest) -> None:
    encoding = request.headers.get("Content-Encoding")
    if encoding is not None and request.method in _WITH_BODY and encoding.lower() not in _READABLE:
        raise UnsupportedMediaType(
            f"The body is compressed with {encoding}", headers={"Accept-Encoding": ", ".join(_READABLE)}
        )


def _library(target: RequestTarget, endpoint: Endpoint) -> tuple[str | None, str]:
    """The library of /libraries/{library_id}/…, if it is one, and the rest of the path as it was sent."""
    if not endpoint.in_library:
        return None, target.path
    library_id = target.segments[1]
    if not is_id(library_id):
        raise NotFound.of("library")
    return library_id.lower(), "/" + target.path.split("/", 3)[3]
