"""Calls of the services' operations on behalf of whoever called an operation of a foreign API."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias
from urllib.parse import quote, urlencode

import orjson

from services.gateway.http.context import RequestContext
from services.gateway.http.headers import NO_HEADERS, upstream_headers
from services.gateway.upstreams.proxy import Proxy, UpstreamResponse
from shared.errors import AppError, BadGateway, FieldError

Value: TypeAlias = str | int | bool | datetime
QueryParameters: TypeAlias = Mapping[str, Value | Sequence[str] | None]

_KEPT: Final = ("Retry-After",)


class NativeError(AppError):
    """A service refused a call. `fields`: its complaints about the body or query, if it had any."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        fields: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ):
        super().__init__(message, code=code, headers=headers)
        self.status = status
        self.fields = tuple(fields)


class NativeCalls:
    """The operations of the services `session`, `egress` and `attendance`, with the caller's own rights.

    Paths are given decoded. Every method returns the answer's `data`; it raises `NativeError` for a refusal,
    and `Unavailable`, `DeadlineExceeded` and `BadGateway` as the proxy does. `deadline` is in seconds, and
    each call's own.
    """

    def __init__(self, proxy: Proxy, context: RequestContext, deadline: float):
        self._proxy = proxy
        self._context = context
        self._deadline = deadline

    async def get(self, service: str, path: str, query: QueryParameters | None = None) -> Any:
        """Parameters that are None are left out, a sequence is repeated."""
        return await self._call(service, "GET", _target(path, query or {}))

    async def post(self, service: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        return await self._call(service, "POST", _target(path, {}), body)

    async def patch(self, service: str, path: str, body: Mapping[str, object]) -> Any:
        return await self._call(service, "PATCH", _target(path, {}), body)

    async def delete(self, service: str, path: str, query: QueryParameters | None = None) -> Any:
        return await self._call(service, "DELETE", _target(path, query or {}))

    async def _call(
        self, service: str, method: str, target: str, body: Mapping[str, object] | None = None
    ) -> Any:
        authenticated = self._context.authenticated
        headers = upstream_headers(
            NO_HEADERS,
            client=self._context.client,
            request_id=self._context.request_id,
            authorization=authenticated.authorization if authenticated else None,
            library_id=None,
        )
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = orjson.dumps(body)
        response = await self._proxy.call(service, method, target, headers, data, deadline=self._deadline)
        return _data(service, response)


def _target(path: str, query: QueryParameters) -> str:
    """The encoded path and query."""
    pairs = list(_pairs(query))
    return quote(path, safe="/") + ("?" + urlencode(pairs) if pairs else "")


def _pairs(query: QueryParameters) -> Iterator[tuple[str, str]]:
    for name, value in query.items():
        if value is None:
            continue
        if isinstance(value, str | int | datetime):
            yield name, _text(value)
        else:
            yield from ((name, one) for one in value)


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _data(service: str, response: UpstreamResponse) -> Any:
    try:
        envelope = orjson.loads(response.body)
        if response.status < 400:
            return envelope["data"]
        bad = [FieldError(one["field"], one["code"], one["message"]) for one in envelope.get("errors", ())]
        kept = {name: response.headers[name] for name in _KEPT if name in response.headers}
        raise NativeError(response.status, envelope["code"], envelope["error"], bad, kept)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadGateway(f"The {service} service's answer cannot be read") from error
