"""The bus on RabbitMQ."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity, ChannelPreconditionFailed
from aiormq.abc import DeliveredMessage

from shared.bus.base import BaseBus
from shared.bus.codec import Message
from shared.bus.consumer import ConsumerChannel, Delivery
from shared.bus.ports import DeadLetter, Group, OrderedGroup, working_queues
from shared.bus.rabbit_channels import KeptChannel, close_channel
from shared.bus.rabbit_connection import BrokerConnection, reaching
from shared.bus.rabbit_dead_letters import RabbitDeadLetters
from shared.bus.rabbit_publisher import RabbitPublisher
from shared.bus.rabbit_topology import Declarations
from shared.bus.retry import RetryPolicy
from shared.clock import Clock, SystemClock
from shared.contracts.event import Envelope
from shared.errors import NotFound, Unavailable

log = structlog.get_logger(__name__)

PUBLISH_DEADLINE = 4.5
COUNT_EVERY = 5.0
# An ordered group has a queue for each partition, so its queues are looked at less often.
READY_COUNT_EVERY = 15.0


class RabbitBus(BaseBus):
    """Two connections: one publishes, one consumes. Both are made again by themselves.

    `url` is an amqp:// or amqps:// URL with user, password and virtual host; `service` names the
    connections in RabbitMQ's own listings.
    """

    def __init__(
        self,
        url: str,
        *,
        service: str,
        retry: RetryPolicy | None = None,
        clock: Clock | None = None,
        publish_deadline: float = PUBLISH_DEADLINE,
    ) -> None:
        super().__init__(retry or RetryPolicy(), clock or SystemClock())
        self._publisher = RabbitPublisher(url, f"{service} publisher", publish_deadline)
        self._connection = BrokerConnection(url, f"{service} consumer")
        self._declarations = Declarations(self._policy)
        self._counting_channel = KeptChannel(self._connection)
        self._dead_letters = RabbitDeadLetters(self._connection, self._counting_channel, self._publisher)

    async def start(self) -> None:
        self._supervisor.spawn("publishing connection", self._publisher.connection.run())
        self._supervisor.spawn("consuming connection", self._connection.run())
        self._supervisor.spawn("dead-letter count", _every(COUNT_EVERY, self.count_dead_letters))
        self._supervisor.spawn("queue count", _every(READY_COUNT_EVERY, self.count_ready))
        try:
            await asyncio.gather(self._publisher.connection.get(), self._connection.get())
        except Unavailable as error:
            log.warning("bus.started_without_broker", reason=error.message)

    async def publish(self, envelope: Envelope) -> None:
        await self._publisher.publish(envelope)

    async def dead_letters(self, group: str, *, limit: int = 1000) -> list[DeadLetter]:
        return await self._dead_letters.list(group, limit)

    async def replay(self, group: str, ids: Collection[str] | None = None) -> int:
        return await self._dead_letters.replay(group, ids)

    async def close(self) -> None:
        await super().close()
        await self._publisher.connection.close()
        await self._connection.close()

    def _broker_state(self) -> str | None:
        return self._publisher.connection.state() or self._connection.state()

    async def _declare(self, group: Group | OrderedGroup) -> None:
        """Raises ChannelPreconditionFailed if a queue exists with other arguments.

        What cannot be declared now is declared before it is consumed.
        """
        try:
            await self._declarations.ensure(await self._connection.get(0), group)
        except Unavailable as error:
            if isinstance(error.__cause__, ChannelPreconditionFailed):
                raise error.__cause__ from None
            log.warning("bus.declared_later", group=group.name, reason=error.message)

    async def _open(self, group: Group | OrderedGroup, queue: str, prefetch: int) -> ConsumerChannel:
        """A queue that somebody deleted is declared again by the next try."""
        connection = await self._connection.get()
        await self._declarations.ensure(connection, group)
        try:
            return await RabbitChannel.open(connection, queue, prefetch, self._publisher)
        except Unavailable as error:
            if isinstance(error.__cause__, ChannelNotFoundEntity):
                self._declarations.forget(group)
            raise

    async def _dead_letter_count(self, group: str) -> int:
        """A queue that somebody deleted is declared again: what is given up would be lost."""
        try:
            return await self._dead_letters.count(group)
        except NotFound:
            self._declarations.forget(self._groups[group])
            await self._declarations.ensure(await self._connection.get(), self._groups[group])
            return 0

    async def _ready_count(self, group: Group | OrderedGroup) -> int:
        async with self._counting_channel.use() as channel, reaching("counting messages"):
            queues = [await channel.declare_queue(name, passive=True) for name in working_queues(group)]
        return sum(queue.declaration_result.message_count or 0 for queue in queues)


async def _every(seconds: float, count: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        await count()


class RabbitChannel(ConsumerChannel):
    """Deliveries are taken below aio-pika's message objects, which would double their cost."""

    def __init__(self, queue: str, channel: AbstractChannel, publisher: RabbitPublisher) -> None:
        super().__init__(queue)
        self._channel = channel
        self._publisher = publisher

    @classmethod
    async def open(
        cls, connection: AbstractConnection, queue: str, prefetch: int, publisher: RabbitPublisher
    ) -> "RabbitChannel":
        """Consume `queue` with at most `prefetch` messages unacknowledged. Raises Unavailable."""
        opened = cls(queue, connection.channel(publisher_confirms=False), publisher)
        try:
            async with reaching(f"consuming {queue}"):
                await opened._consume(prefetch)
        except BaseException:
            await opened.close()  # else a consumer that nobody works for would go on prefetching
            raise
        return opened

    async def _consume(self, prefetch: int) -> None:
        await self._channel.initialize()
        await self._channel.set_qos(prefetch_count=prefetch)
        self._channel.close_callbacks.add(self._on_loss)
        underlay = await self._channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(self._on_loss)
        await underlay.basic_consume(self.queue, self._deliver)

    def _on_loss(self, *_: object) -> None:
        """The channel closed, or the broker cancelled the consumer: what is left is delivered again."""
        self.end()

    async def _deliver(self, message: DeliveredMessage) -> None:
        if message.delivery_tag is not None:
            headers = message.header.properties.headers or {}
            redelivered = bool(message.redelivered)
            self.put(Delivery(message.delivery_tag, self.queue, headers, message.body, redelivered))

    async def ack(self, tag: int, *, multiple: bool = False) -> None:
        try:
            async with reaching("acknowledging"):
                underlay = await self._channel.get_underlay_channel()
                await underlay.basic_ack(tag, multiple=multiple, wait=False)
        except Unavailable:
            self.end()

    async def send(self, queue: str, message: Message) -> None:
        await self._publisher.send(queue, message)

    async def close(self) -> None:
        self.end()
        await close_channel(self._channel)
