"""Confirmed publishing over a connection of its own, so that a blocked publisher blocks no consumer."""

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange

from shared.bus import metrics
from shared.bus.codec import CONTENT_TYPE, Parcel, encode
from shared.bus.rabbit_errors import NoAnswer, Unroutable, reaching
from shared.bus.rabbit_link import Link
from shared.bus.rabbit_topology import declare_exchange
from shared.contracts.event import Envelope
from shared.errors import Unavailable


class RabbitPublisher:
    """One publish that the broker leaves unanswered drops the link: until it is up again all fail at once."""

    def __init__(self, url: str, name: str, deadline: float) -> None:
        self.link = Link(url, name, self._open)
        self._deadline = deadline
        self._channel: AbstractChannel | None = None
        self._exchange: AbstractExchange | None = None

    async def _open(self, connection: AbstractConnection) -> None:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        self._exchange = await declare_exchange(channel)
        self._channel = channel
        channel.close_callbacks.add(self._on_channel_close)

    def _on_channel_close(self, channel: object, error: BaseException | None) -> None:
        if channel is self._channel:
            self._channel = self._exchange = None
            self.link.drop(f"the publishing channel closed: {type(error).__name__}")

    async def publish(self, envelope: Envelope) -> None:
        """Publish an event. That no group is bound to it is no failure; it is counted."""
        name = envelope.event.name
        self._check()
        if self._exchange is None:
            raise Unavailable("the publishing channel is closed")
        try:
            await self._send(self._exchange, envelope.routing_key, encode(envelope))
        except Unroutable:
            metrics.unrouted(name).inc()
        metrics.published(name).inc()

    async def send(self, queue: str, parcel: Parcel) -> None:
        """Put a message into one queue. Raises Unavailable, also where there is no such queue."""
        self._check()
        if self._channel is None:
            raise Unavailable("the publishing channel is closed")
        try:
            await self._send(self._channel.default_exchange, queue, parcel)
        except Unroutable as error:
            raise Unavailable(f"there is no queue {queue}") from error

    def _check(self) -> None:
        trouble = self.link.state()
        if trouble is not None:
            metrics.refused("circuit_open").inc()
            raise Unavailable(f"the broker is away: {trouble}")

    async def _send(self, exchange: AbstractExchange, routing_key: str, parcel: Parcel) -> None:
        message = Message(
            parcel.body,
            headers=dict(parcel.headers),
            content_type=CONTENT_TYPE,
            delivery_mode=DeliveryMode.PERSISTENT,
        )
        try:
            async with reaching("publishing", self._deadline):
                await exchange.publish(message, routing_key, mandatory=True)
        except NoAnswer as error:
            metrics.refused("timeout").inc()
            self.link.drop(error.message)
            raise
        except Unavailable:
            metrics.refused("lost").inc()
            raise
