"""Who may publish, and the relays of those who do."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import web

from services.relay.relay import Relaying
from services.relay.relay_orders import Order, Orders
from shared.errors import Conflict

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Running:
    client: str
    relaying: Relaying
    task: asyncio.Task[None]


class RelayService:
    """`begin` makes a relay for a stream key; it is run once its order is known.

    `client` is the RTMP server's id of the encoder's connection.
    """

    def __init__(self, orders: Orders, begin: Callable[[str], Relaying]):
        self._orders = orders
        self._begin = begin
        self._running: dict[str, _Running] = {}

    async def publish(self, stream_key: str, client: str) -> None:
        """An encoder wants to publish.

        Raises NotFound for a key that is unknown or revoked, Conflict for one that is in use, and
        Unavailable where nobody can tell now.
        """
        order = await self._orders.ask(stream_key)
        if stream_key in self._running:
            raise Conflict("Another encoder publishes with this stream key", code="already_publishing")
        self._start(stream_key, client, order)

    async def still_publishing(self, stream_key: str, client: str) -> None:
        """An encoder goes on publishing: it must still be allowed to. Raises NotFound and Unavailable.

        One that began in an earlier life of ours has no relay yet.
        """
        order = await self._orders.ask(stream_key)
        if stream_key not in self._running:
            self._start(stream_key, client, order)

    def publishing_ended(self, stream_key: str, client: str) -> None:
        """An encoder is gone; one that was refused takes nothing away from the one that publishes."""
        running = self._running.get(stream_key)
        if running is not None and running.client == client:
            running.relaying.stop()

    def _start(self, stream_key: str, client: str, order: Order) -> None:
        relaying = self._begin(stream_key)
        task = asyncio.create_task(relaying.run(order), name=f"relay of {order.ingress_id}")
        self._running[stream_key] = _Running(client, relaying, task)
        task.add_done_callback(lambda task: self._ended(stream_key, task))

    def _ended(self, stream_key: str, task: asyncio.Task[None]) -> None:
        self._running.pop(stream_key, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("relay.failed", error=repr(error))

    async def close(self) -> None:
        """Stop all relays, and have their ends reported."""
        running = list(self._running.values())
        for one in running:
            one.relaying.stop()
        await asyncio.gather(*(one.task for one in running), return_exceptions=True)


RELAYS: Final = web.AppKey("relays", RelayService)
