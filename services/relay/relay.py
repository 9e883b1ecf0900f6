"""One encoder's media on its way into a room, for as long as the encoder publishes."""

import asyncio

import structlog

from services.relay import ingress_info as words
from services.relay.relay_orders import Order, Orders
from services.relay.transcoder_process import Pump
from shared.clock import Clock
from shared.errors import NotFound, Unavailable
from shared.livekit.webhook_sender import WebhookSender

log = structlog.get_logger(__name__)

# The room opens a moment after the encoder began; LiveKit or the network may be away for longer.
_PAUSE_SECONDS = 0.5


class Relaying:
    """`source` is where the RTMP server lets us play what is published under the key."""

    def __init__(
        self, stream_key: str, source: str, orders: Orders, pump: Pump, webhooks: WebhookSender, clock: Clock
    ):
        self._stream_key = stream_key
        self._source = source
        self._orders = orders
        self._pump = pump
        self._webhooks = webhooks
        self._clock = clock
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """The encoder is gone, or is to be sent away."""
        self._stopped.set()

    async def run(self, order: Order) -> None:
        """Relay and try again until `stop`, or until the key is revoked; both ends are reported."""
        since = self._clock.now()
        await self._webhooks.send(words.started(order, since))
        try:
            while not self._stopped.is_set():
                await self._try(order)
                if self._stopped.is_set():
                    break
                await asyncio.sleep(_PAUSE_SECONDS)
                order = await self._asked_again(order)
        except NotFound:
            log.info("relay.revoked", ingress=order.ingress_id, session=order.room)
        finally:
            self._stopped.set()
            await self._webhooks.send(words.ended(order, since, self._clock.now()))

    async def _try(self, order: Order) -> None:
        def flowing() -> None:
            log.info("relay.flowing", ingress=order.ingress_id, session=order.room)

        try:
            await self._pump(self._source, order.whip_url, self._stopped, flowing)
        except Unavailable as error:
            log.info("relay.interrupted", ingress=order.ingress_id, session=order.room, reason=error.message)

    async def _asked_again(self, order: Order) -> Order:
        """With a fresh token; the old one where nobody can tell. Raises NotFound for a revoked key."""
        try:
            return await self._orders.ask(self._stream_key)
        except Unavailable:
            return order
