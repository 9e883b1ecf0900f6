"""A consumer of one queue on a channel of its own."""

from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.abc import DeliveredMessage

from shared.bus.codec import Parcel
from shared.bus.intake import Delivery, Intake
from shared.bus.rabbit_errors import close_channel, reaching
from shared.bus.rabbit_publisher import RabbitPublisher
from shared.errors import Unavailable


class RabbitIntake(Intake):
    """Deliveries are taken below aio-pika's message objects, which would double their cost."""

    def __init__(self, queue: str, channel: AbstractChannel, publisher: RabbitPublisher) -> None:
        super().__init__(queue)
        self._channel = channel
        self._publisher = publisher

    @classmethod
    async def open(
        cls, connection: AbstractConnection, queue: str, prefetch: int, publisher: RabbitPublisher
    ) -> "RabbitIntake":
        """Consume `queue` with at most `prefetch` messages unacknowledged. Raises Unavailable."""
        channel = connection.channel(publisher_confirms=False)
        intake = cls(queue, channel, publisher)
        try:
            async with reaching(f"consuming {queue}"):
                await channel.initialize()
                await intake._consume(prefetch)
        except BaseException:
            await intake.close()  # else a consumer that nobody works for would go on prefetching
            raise
        return intake

    async def _consume(self, prefetch: int) -> None:
        await self._channel.set_qos(prefetch_count=prefetch)
        self._channel.close_callbacks.add(self._on_loss)
        underlay = await self._channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(self._on_loss)
        await underlay.basic_consume(self.queue, self._deliver)

    def _on_loss(self, *_: object) -> None:
        """The channel closed, or the broker cancelled the consumer: what is left comes again."""
        self.end()

    async def _deliver(self, message: DeliveredMessage) -> None:
        if message.delivery_tag is not None:
            headers = message.header.properties.headers or {}
            self.put(Delivery(message.delivery_tag, self.queue, headers, message.body))

    async def ack(self, tag: int, *, multiple: bool = False) -> None:
        try:
            async with reaching("acknowledging"):
                underlay = await self._channel.get_underlay_channel()
                await underlay.basic_ack(tag, multiple=multiple, wait=False)
        except Unavailable:
            self.end()

    async def send(self, queue: str, parcel: Parcel) -> None:
        await self._publisher.send(queue, parcel)

    async def close(self) -> None:
        self.end()
        await close_channel(self._channel)
