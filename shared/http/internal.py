"""Signed calls from one service to another: a 60 s HS256 token with the shared internal secret."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar, cast

import aiohttp
import jwt
import orjson
from pydantic import TypeAdapter

from shared.clock import Clock
from shared.errors import Unauthenticated, Unavailable
from shared.http.connections import IDLE_SECONDS, REFUSED, repeated
from shared.http.request import REQUEST_ID_HEADER
from shared.http.spans import answered_with, asking
from shared.runtime import tracing
from shared.runtime.log import current_request_id
from shared.runtime.rotating_secret import RotatingSecret

_TYPE = "internal+jwt"
_LIFETIME = timedelta(seconds=60)
_LEEWAY = timedelta(seconds=5)
# Calls have one deadline for both tries.
_BOUNDED_HERE = aiohttp.ClientTimeout(total=None)

T = TypeVar("T")

_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


class InternalCalls:
    """Signs our calls to the service `audience`, and verifies calls to ours."""

    def __init__(self, secret: RotatingSecret, clock: Clock):
        self._secret = secret
        self._clock = clock

    def sign(self, audience: str) -> str:
        """The value of the Authorization header for a call to `audience`; raises `Unavailable`."""
        if not self._secret:
            raise Unavailable("No secret is configured for internal calls")
        now = int(self._clock.now().timestamp())
        claims = {"aud": audience, "iat": now, "exp": now + int(_LIFETIME.total_seconds())}
        return "Bearer " + jwt.encode(claims, self._secret.keys[0], algorithm="HS256", headers={"typ": _TYPE})

    def verify(self, authorization: str | None, audience: str) -> None:
        """Raises `Unauthenticated` unless the header is a valid signature of a call to `audience`."""
        scheme, _, token = (authorization or "").partition(" ")
        try:
            if not self._secret or scheme != "Bearer" or jwt.get_unverified_header(token).get("typ") != _TYPE:
                raise Unauthenticated("This is an internal operation", code="internal_only")
            claims = self._claims(token, audience)
            if float(claims["exp"]) + _LEEWAY.total_seconds() <= self._clock.now().timestamp():
                raise Unauthenticated("The signature of this call has expired", code="internal_only")
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Unauthenticated("This is an internal operation", code="internal_only") from error

    def _claims(self, token: str, audience: str) -> dict[str, Any]:
        for key in self._secret.keys:
            with suppress(jwt.InvalidSignatureError):
                claims: dict[str, Any] = jwt.decode(
                    token,
                    key,
                    algorithms=["HS256"],
                    audience=audience,
                    # The time is checked by `verify`, on the injected clock.
                    options={"require": ["exp", "aud"], "verify_exp": False, "verify_iat": False},
                )
                return claims
        raise jwt.InvalidSignatureError


class UnexpectedStatus(Unavailable):
    """A service answered an internal call with another status than 200: `answered`."""

    def __init__(self, service: str, answered: int):
        super().__init__(f"The {service} service is unavailable ({answered})")
        self.answered = answered


class Unreachable(Unavailable):
    """No connection to a service: it has not heard of the call."""


def _context_headers() -> dict[str, str]:
    """Which request the call is part of, and which step of which trace."""
    request_id = current_request_id()
    of_request: dict[str, str] = {REQUEST_ID_HEADER: request_id} if request_id else {}
    return {**of_request, **tracing.headers()}


class InternalClient:
    """Calls the internal operations of one service; connects with the first call.

    Each of them may be called twice with the same effect: if a connection is lost, it is.
    """

    def __init__(self, service: str, url: str, calls: InternalCalls, *, timeout_seconds: float):
        self._service = service
        self._url = url.rstrip("/")
        self._calls = calls
        self._seconds = timeout_seconds
        self._client: aiohttp.ClientSession | None = None

    async def get(self, path: str, data: type[T], query: Mapping[str, str] | None = None) -> T:
        """The answer's `data`, validated; raises `Unavailable`: `UnexpectedStatus` and `Unreachable` are two
        kinds of it."""
        return await self._call("GET", path, data, params=query)

    async def post(self, path: str, data: type[T], body: Mapping[str, object]) -> T:
        """Sends `body` as JSON; otherwise as `get`."""
        return await self._call("POST", path, data, json=body)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _call(self, method: str, path: str, data: type[T], **sent: Any) -> T:
        async def ask() -> tuple[int, bytes]:
            with asking(self._service, method) as span:
                headers = {"Authorization": self._calls.sign(self._service), **_context_headers()}
                async with client.request(method, self._url + path, headers=headers, **sent) as response:
                    answered_with(span, response.status)
                    return response.status, await response.read()

        client = self._connected()
        try:
            async with asyncio.timeout(self._seconds):
                status, answer = await repeated(ask, self._service, lost=True)
            if status != 200:
                raise UnexpectedStatus(self._service, status)
            return cast(T, _adapter(data).validate_python(orjson.loads(answer)["data"]))
        except REFUSED as error:
            raise Unreachable(f"The {self._service} service cannot be reached") from error
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, LookupError, TypeError) as error:
            raise Unavailable(f"The {self._service} service is unavailable") from error

    def _connected(self) -> aiohttp.ClientSession:
        if self._client is None:
            connector = aiohttp.TCPConnector(keepalive_timeout=IDLE_SECONDS)
            self._client = aiohttp.ClientSession(connector=connector, timeout=_BOUNDED_HERE)
        return self._client
