"""The two brokers that the cases of this folder are played on."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace

import aio_pika
from aio_pika.exceptions import ChannelNotFoundEntity

from shared.bus import DeadLetter, Group, OrderedGroup, RetryPolicy
from shared.bus.base import BaseBus
from shared.bus.codec import Message
from shared.bus.ports import EXCHANGE, dead_queue, retry_queues, working_queues
from shared.bus.rabbit import RabbitBus
from shared.ids import new_id
from shared.runtime.backoff import Backoff
from tests.contract.bus.rabbitmq_node import RabbitMqNode
from tests.fakes.memory_broker import MemoryBroker
from tests.fakes.memory_bus import MemoryBus

DEADLINE = 60.0
QUICK = RetryPolicy(
    delays=(0.05, 0.1, 0.2),
    ordered_backoff=Backoff(0.01, 0.05),
    unavailable_backoff=Backoff(0.01, 0.1),
    stop_deadline=3.0,
)


def with_changes(
    policy: RetryPolicy, *, hold: float | None = None, stop_deadline: float | None = None
) -> RetryPolicy:
    return replace(
        policy,
        hold=policy.hold if hold is None else hold,
        stop_deadline=policy.stop_deadline if stop_deadline is None else stop_deadline,
    )


async def eventually(condition: Callable[[], bool], deadline: float = DEADLINE) -> None:
    """Wait for a condition; fails with its source line when it does not come about."""
    async with asyncio.timeout(deadline):
        while not condition():
            await asyncio.sleep(0.005)


async def dead_letters(bus: BaseBus, group: str, count: int) -> list[DeadLetter]:
    """The dead letters of the group, once there are `count`."""
    async with asyncio.timeout(DEADLINE):
        while len(letters := await bus.dead_letters(group)) != count:
            await asyncio.sleep(0.02)
    return letters


class BrokerFixture(ABC):
    """A broker that can be taken away, and buses on it; `name` makes group names of this test's own."""

    def __init__(self) -> None:
        self._prefix = f"test-{new_id()}"
        self._buses: list[BaseBus] = []
        self.groups: list[Group | OrderedGroup] = []

    def name(self, group: str) -> str:
        return f"{self._prefix}.{group}"

    async def bus(self, retry: RetryPolicy = QUICK) -> BaseBus:
        bus = self._new_bus(retry)
        self._buses.append(bus)
        await bus.start()
        return bus

    async def subscribe(self, bus: BaseBus, group: Group | OrderedGroup) -> None:
        self.groups.append(group)
        await bus.subscribe(group)

    async def close(self) -> None:
        await asyncio.gather(*(bus.close() for bus in self._buses))

    @abstractmethod
    def _new_bus(self, retry: RetryPolicy) -> BaseBus: ...

    @abstractmethod
    async def inject(self, routing_key: str, message: Message) -> None:
        """Publish a message that no bus of ours would."""

    @abstractmethod
    async def take_away(self) -> None:
        """Kill the broker."""

    @abstractmethod
    async def bring_back(self) -> None: ...


class MemoryBrokerFixture(BrokerFixture):
    def __init__(self) -> None:
        super().__init__()
        self._broker = MemoryBroker()

    def _new_bus(self, retry: RetryPolicy) -> BaseBus:
        return MemoryBus(self._broker, retry=retry)

    async def inject(self, routing_key: str, message: Message) -> None:
        self._broker.route(routing_key, message)

    async def take_away(self) -> None:
        self._broker.down()

    async def bring_back(self) -> None:
        self._broker.up()


class RabbitFixture(BrokerFixture):
    def __init__(self, node: RabbitMqNode) -> None:
        super().__init__()
        self.node = node
        self._declared_at = 0.0

    def _new_bus(self, retry: RetryPolicy) -> BaseBus:
        return RabbitBus(self.node.url, service="tests", retry=retry, publish_deadline=2.0)

    async def inject(self, routing_key: str, message: Message) -> None:
        async with await aio_pika.connect(self.node.url) as connection:
            channel = await connection.channel()
            exchange = await channel.get_exchange(EXCHANGE)
            await exchange.publish(aio_pika.Message(message.body, headers=dict(message.headers)), routing_key)

    async def there(self, queue: str) -> None:
        """Wait until the broker has this queue."""
        async with asyncio.timeout(DEADLINE), await aio_pika.connect(self.node.url) as connection:
            while True:
                channel = await connection.channel()
                try:
                    await channel.declare_queue(queue, passive=True)
                except ChannelNotFoundEntity:
                    await asyncio.sleep(0.005)
                else:
                    return

    async def delete(self, queue: str) -> None:
        async with await aio_pika.connect(self.node.url) as connection:
            channel = await connection.channel()
            await channel.queue_delete(queue)

    async def subscribe(self, bus: BaseBus, group: Group | OrderedGroup) -> None:
        await super().subscribe(bus, group)
        self._declared_at = time.monotonic()

    async def take_away(self) -> None:
        """A new quorum queue that is killed before RabbitMQ 3 wrote its name down (0.5 s) stays stuck."""
        await asyncio.sleep(max(0.0, self._declared_at + 1.0 - time.monotonic()))
        await self.node.kill()

    async def bring_back(self) -> None:
        await self.node.start()

    async def close(self) -> None:
        """Other tests publish the same events: leave no queue bound."""
        await super().close()
        async with await aio_pika.connect(self.node.url) as connection:
            channel = await connection.channel()
            for group in self.groups:
                retries = retry_queues(group, QUICK.delays)
                for queue in (*working_queues(group), *retries, dead_queue(group.name)):
                    await channel.queue_delete(queue)
