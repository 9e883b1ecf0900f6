"""Connections between services whose replicas come and go: how long idle ones are kept, and one more try."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from aiohttp import ClientConnectionError, ClientConnectorError, ClientPayloadError, ConnectionTimeoutError
from prometheus_client import Counter

T = TypeVar("T")

# Shorter than a stopping replica goes on serving (`readiness_delay_seconds`, 5 in production): whoever used a
# connection meanwhile was asked to close it, and one that nobody used is gone before the replica is.
IDLE_SECONDS: Final = 4.0
# So that connections to the same replica are found closed, too, and not taken for the second try.
_PAUSE: Final = 0.05

# No connection: the service has not heard of the call.
REFUSED: Final = (ClientConnectorError, ConnectionTimeoutError)
# The connection ended before the answer was whole.
_LOST: Final = (ClientConnectionError, ClientPayloadError, ConnectionError)

_REPEATED = Counter(
    "greenroom_http_upstream_repeated_total", "Calls to a service that were sent a second time", ["upstream"]
)


async def repeated(call: Callable[[], Awaitable[T]], service: str, *, lost: bool) -> T:
    """The result of `call`, which is made once more if no connection was there.

    `lost`: also if the connection ended without an answer, because the call may arrive twice.
    """
    try:
        return await call()
    except _LOST as error:
        if not lost and not isinstance(error, REFUSED):
            raise
    _REPEATED.labels(service).inc()
    await asyncio.sleep(_PAUSE)
    return await call()
