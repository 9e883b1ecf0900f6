"""The bus on RabbitMQ."""

import asyncio
from collections.abc import Collection

import structlog
from aio_pika.exceptions import ChannelNotFoundEntity, ChannelPreconditionFailed

from shared.bus.base import BaseBus
from shared.bus.broadcast import PREFETCH
from shared.bus.intake import Intake
from shared.bus.policy import RetryPolicy
from shared.bus.ports import Broadcast, DeadLetter, Group, OrderedGroup
from shared.bus.rabbit_dead_letters import RabbitDeadLetters
from shared.bus.rabbit_declarations import Declarations
from shared.bus.rabbit_errors import DEADLINE, close_channel, reaching
from shared.bus.rabbit_intake import RabbitIntake
from shared.bus.rabbit_link import Link
from shared.bus.rabbit_publisher import RabbitPublisher
from shared.bus.rabbit_topology import declare_broadcast
from shared.clock import Clock, SystemClock
from shared.contracts.event import Envelope
from shared.errors import NotFound, Unavailable

log = structlog.get_logger(__name__)

PUBLISH_DEADLINE = 4.5
COUNT_EVERY = 5.0


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
        self._link = Link(url, f"{service} consumer")
        self._declarations = Declarations(self._policy)
        self._dead_letters = RabbitDeadLetters(self._link, self._publisher)

    async def start(self) -> None:
        self._supervisor.spawn("publishing connection", self._publisher.link.run())
        self._supervisor.spawn("consuming connection", self._link.run())
        self._supervisor.spawn("dead-letter count", self._count())
        try:
            await asyncio.gather(self._publisher.link.connection(DEADLINE), self._link.connection(DEADLINE))
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
        await self._publisher.link.close()
        await self._link.close()

    def _broker_state(self) -> str | None:
        return self._publisher.link.state() or self._link.state()

    async def _declare(self, group: Group | OrderedGroup) -> None:
        """Raises ChannelPreconditionFailed where a queue exists with other arguments.

        What cannot be declared now is declared before it is consumed.
        """
        try:
            await self._declarations.ensure(await self._link.connection(0), group)
        except Unavailable as error:
            if isinstance(error.__cause__, ChannelPreconditionFailed):
                raise error.__cause__ from None
            log.warning("bus.declared_later", group=group.name, reason=error.message)

    async def _open(self, group: Group | OrderedGroup, queue: str, prefetch: int) -> Intake:
        """A queue that somebody deleted is declared again by the next try."""
        connection = await self._link.connection(DEADLINE)
        await self._declarations.ensure(connection, group)
        try:
            return await RabbitIntake.open(connection, queue, prefetch, self._publisher)
        except Unavailable as error:
            if isinstance(error.__cause__, ChannelNotFoundEntity):
                self._declarations.forget(group)
            raise

    async def _open_broadcast(self, broadcast: Broadcast) -> Intake:
        """The queue is the connection's own, so it goes when that is lost, and each time is a new one."""
        connection = await self._link.connection(DEADLINE)
        channel = connection.channel(publisher_confirms=False)
        async with reaching(f"declaring {broadcast.name}"):
            await channel.initialize()
            queue = await declare_broadcast(channel, broadcast)
        await close_channel(channel)
        return await RabbitIntake.open(connection, queue, PREFETCH, self._publisher)

    async def _dead_letter_count(self, group: str) -> int:
        """A queue that somebody deleted is declared again: what is given up would be lost."""
        try:
            return await self._dead_letters.count(group)
        except NotFound:
            self._declarations.forget(self._groups[group])
            await self._declarations.ensure(await self._link.connection(DEADLINE), self._groups[group])
            return 0

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(COUNT_EVERY)
            await self.count_dead_letters()
