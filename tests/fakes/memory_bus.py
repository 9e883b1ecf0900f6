"""The bus in memory, for tests: the real workers on a broker that is a few dictionaries."""

import asyncio
from collections import deque
from collections.abc import Collection

from shared.bus.base import BaseBus
from shared.bus.codec import Message, encode
from shared.bus.consumer import ConsumerChannel, Delivery
from shared.bus.ports import DeadLetter, Group, OrderedGroup, belongs, dead_queue, working_queues
from shared.bus.retry import RetryPolicy, original, read_dead_letter
from shared.clock import Clock, SystemClock
from shared.contracts.event import Envelope
from shared.errors import NotFound
from shared.runtime.backoff import Backoff
from tests.fakes.memory_broker import MemoryBroker, MemoryChannel

# The same steps as in production, in milliseconds instead of seconds.
FAST = RetryPolicy(
    delays=(0.001, 0.005, 0.03),
    ordered_backoff=Backoff(0.001, 0.01),
    unavailable_backoff=Backoff(0.001, 0.01),
    stop_deadline=2.0,
)


class MemoryBus(BaseBus):
    """Give several buses one `broker` to have them share queues; `duplicate` delivers every event twice.

    `published` keeps every confirmed envelope in order.
    """

    def __init__(
        self,
        broker: MemoryBroker | None = None,
        *,
        retry: RetryPolicy = FAST,
        clock: Clock | None = None,
        duplicate: bool = False,
    ) -> None:
        super().__init__(retry, clock or SystemClock())
        self.broker = broker or MemoryBroker()
        self.published: list[Envelope] = []
        self._copies = 2 if duplicate else 1

    async def start(self) -> None:
        """Nothing to connect to."""

    async def publish(self, envelope: Envelope) -> None:
        message = encode(envelope)
        for _ in range(self._copies):
            self.broker.route(envelope.routing_key, message)
        self.published.append(envelope)

    def down(self) -> None:
        """The broker is away: publishing raises Unavailable, consuming stops."""
        self.broker.down()

    def up(self) -> None:
        self.broker.up()

    async def settle(self, deadline: float = 5.0) -> None:
        """Wait until every event is handled or dead-lettered. Raises TimeoutError."""
        async with asyncio.timeout(deadline):
            await self.broker.settled()

    async def stop_consuming(self) -> None:
        await super().stop_consuming()
        for group in self._groups.values():
            self._want(group, -1)
        self._groups.clear()

    async def dead_letters(self, group: str, *, limit: int = 1000) -> list[DeadLetter]:
        return [read_dead_letter(_delivery(message)) for message in list(self._dead(group))[:limit]]

    async def replay(self, group: str, ids: Collection[str] | None = None) -> int:
        letters = self._dead(group)
        chosen = [(message, read_dead_letter(_delivery(message))) for message in letters]
        chosen = [(message, letter) for message, letter in chosen if ids is None or letter.id in ids]
        for message, letter in chosen:
            target = letter.queue if belongs(letter.queue, group) else group
            self.broker.send(target, original(_delivery(message)))
            letters.remove(message)
        return len(chosen)

    def _dead(self, group: str) -> deque[Message]:
        queue = self.broker.queues.get(dead_queue(group))
        if queue is None:
            raise NotFound(f"there is no group {group}")
        return queue.waiting

    def _broker_state(self) -> str | None:
        return "the broker is away: it is down" if self.broker.away else None

    async def _declare(self, group: Group | OrderedGroup) -> None:
        self.broker.declare(group, self._policy)
        self._want(group, 1)

    def _want(self, group: Group | OrderedGroup, change: int) -> None:
        for queue in working_queues(group):
            self.broker.queues[queue].wanted += change

    async def _open(self, _: Group | OrderedGroup, queue: str, prefetch: int) -> ConsumerChannel:
        await self.broker.reachable()
        return MemoryChannel(self.broker, self.broker.queues[queue], prefetch)

    async def _dead_letter_count(self, group: str) -> int:
        return len(self._dead(group))

    async def _ready_count(self, group: Group | OrderedGroup) -> int:
        return sum(len(self.broker.queues[queue].waiting) for queue in working_queues(group))


def _delivery(message: Message) -> Delivery:
    return Delivery(0, "", message.headers, message.body)
