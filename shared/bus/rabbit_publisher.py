"""Confirmed publishing over a connection of its own, so that a blocked publisher blocks no consumer."""

from typing import cast

from aio_pika.abc import AbstractConnection
from aiormq import Channel, spec

from shared.bus import metrics
from shared.bus.codec import CONTENT_TYPE, Message, encode
from shared.bus.ports import EXCHANGE
from shared.bus.rabbit_connection import BrokerConnection, NoAnswer, Unroutable, reaching
from shared.bus.rabbit_topology import declare_exchange
from shared.contracts.event import Envelope
from shared.errors import Unavailable

PERSISTENT = 2
DEFAULT_EXCHANGE = ""


class RabbitPublisher:
    """One publish left unanswered drops the connection; until it is up again all fail immediately.

    Messages are built below aio-pika's own objects and without waiting for the socket to drain, which
    together cost a third of a publish; the confirm says all that the drain would.
    """

    def __init__(self, url: str, name: str, deadline: float) -> None:
        self.connection = BrokerConnection(url, name, self._open)
        self._deadline = deadline
        self._channel: Channel | None = None

    async def _open(self, connection: AbstractConnection) -> None:
        channel = connection.channel(publisher_confirms=True, on_return_raises=True)
        await channel.initialize()
        await declare_exchange(channel)
        self._channel = underlay = cast(Channel, await channel.get_underlay_channel())
        channel.close_callbacks.add(lambda _, error: self._on_channel_close(underlay, error))

    def _on_channel_close(self, channel: Channel, error: BaseException | None) -> None:
        if channel is self._channel:
            self._channel = None
            self.connection.drop(f"the publishing channel closed: {type(error).__name__}")

    async def publish(self, envelope: Envelope) -> None:
        """Publish an event. That no group is bound to it is no failure; it is counted."""
        name = envelope.event.name
        try:
            await self._send(EXCHANGE, envelope.routing_key, encode(envelope))
        except Unroutable:
            metrics.unrouted(name).inc()
        metrics.published(name).inc()

    async def send(self, queue: str, message: Message) -> None:
        """Put a message into one queue. Raises Unavailable, also if there is no such queue."""
        try:
            await self._send(DEFAULT_EXCHANGE, queue, message)
        except Unroutable as error:
            raise Unavailable(f"there is no queue {queue}") from error

    async def _send(self, exchange: str, routing_key: str, message: Message) -> None:
        channel = self._live_channel()
        properties = spec.Basic.Properties(
            headers=dict(message.headers), content_type=CONTENT_TYPE, delivery_mode=PERSISTENT
        )
        try:
            async with reaching("publishing", self._deadline):
                await channel.basic_publish(
                    message.body,
                    exchange=exchange,
                    routing_key=routing_key,
                    properties=properties,
                    mandatory=True,
                    wait=False,
                )
        except NoAnswer as error:
            metrics.refused("timeout").inc()
            if channel is self._channel:
                self.connection.drop(error.message)
            raise
        except Unavailable:
            metrics.refused("lost").inc()
            raise

    def _live_channel(self) -> Channel:
        problem = self.connection.state()
        if problem is not None or self._channel is None:
            metrics.refused("circuit_open").inc()
            raise Unavailable(f"the broker is away: {problem}")
        return self._channel
