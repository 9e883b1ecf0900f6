"""Asking the egress service what to do with the media sent under a stream key."""

from dataclasses import dataclass, field
from typing import Protocol

import aiohttp

from shared.errors import NotFound, Unavailable
from shared.http.internal import InternalCalls

_DEADLINE = aiohttp.ClientTimeout(total=5.0)


@dataclass(frozen=True)
class Order:
    """An ingress, the room its media goes to, and where by WHIP (a token included)."""

    ingress_id: str
    room: str
    identity: str
    whip_url: str = field(repr=False)


class Orders(Protocol):
    async def ask(self, stream_key: str) -> Order:
        """Raises NotFound for a key that is unknown or revoked, and Unavailable."""
        ...


class EgressOrders:
    def __init__(self, egress_url: str, calls: InternalCalls):
        self._url = egress_url.rstrip("/") + "/internal/relay-orders"
        self._calls = calls
        self._client: aiohttp.ClientSession | None = None

    async def ask(self, stream_key: str) -> Order:
        if self._client is None:
            self._client = aiohttp.ClientSession(timeout=_DEADLINE)
        headers = {"Authorization": self._calls.sign("egress")}
        try:
            async with self._client.post(
                self._url, json={"stream_key": stream_key}, headers=headers
            ) as response:
                if response.status == 404:
                    raise NotFound("There is no such stream key", code="stream_key_unknown")
                if response.status != 200:
                    raise Unavailable(f"The egress service cannot answer now ({response.status})")
                data = (await response.json())["data"]
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable("The egress service does not answer") from error
        return Order(data["ingress_id"], data["room"], data["identity"], data["whip_url"])

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
