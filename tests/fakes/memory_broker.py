"""A broker in memory: queues with unacknowledged messages, single active consumers, retry queues."""

import asyncio
from collections import deque
from collections.abc import Iterator

from shared.bus.codec import Message
from shared.bus.consumer import ConsumerChannel, Delivery
from shared.bus.ports import Group, OrderedGroup, dead_queue, retry_queues, working_queues
from shared.bus.retry import RetryPolicy
from shared.errors import Unavailable


class MemoryQueue:
    """`wanted` is the number of buses that consume it, also while they are cut off."""

    def __init__(self, name: str, *, single_active: bool = False) -> None:
        self.name = name
        self.waiting: deque[Message] = deque()
        self.channels: list[MemoryChannel] = []
        self.wanted = 0
        self._single_active = single_active

    @property
    def busy(self) -> bool:
        return self.wanted > 0 and bool(
            self.waiting or any(channel.unacknowledged for channel in self.channels)
        )

    def put(self, message: Message) -> None:
        self.waiting.append(message)
        self.hand_out()

    def give_back(self, messages: list[Message]) -> None:
        self.waiting.extendleft(reversed(messages))
        self.hand_out()

    def hand_out(self) -> None:
        while self.waiting and (channel := self._free()) is not None:
            channel.receive(self.waiting.popleft())

    def _free(self) -> "MemoryChannel | None":
        """The active consumer, or the one with the least in hand, unless it has as much as it wants."""
        candidates = self.channels[:1] if self._single_active else self.channels
        channel = min(candidates, key=lambda one: len(one.unacknowledged), default=None)
        return channel if channel and len(channel.unacknowledged) < channel.prefetch else None


class MemoryChannel(ConsumerChannel):
    def __init__(self, broker: "MemoryBroker", queue: MemoryQueue, prefetch: int) -> None:
        super().__init__(queue.name)
        self.prefetch = prefetch
        self.unacknowledged: dict[int, Message] = {}
        self._broker = broker
        self._source = queue
        self._tag = 0
        queue.channels.append(self)
        queue.hand_out()

    def receive(self, message: Message) -> None:
        self._tag += 1
        self.unacknowledged[self._tag] = message
        self.put(Delivery(self._tag, self.queue, message.headers, message.body))

    async def ack(self, tag: int, *, multiple: bool = False) -> None:
        for done in [one for one in self.unacknowledged if one == tag or (multiple and one < tag)]:
            del self.unacknowledged[done]
        self._source.hand_out()
        self._broker.changed.set()

    async def send(self, queue: str, message: Message) -> None:
        self._broker.send(queue, message)

    async def close(self) -> None:
        self.lose()

    def lose(self) -> None:
        """As when the connection is lost: what is not acknowledged is the queue's again."""
        self.end()
        if self in self._source.channels:
            self._source.channels.remove(self)
            unacknowledged, self.unacknowledged = self.unacknowledged, {}
            self._source.give_back(list(unacknowledged.values()))
            self._broker.changed.set()


class MemoryBroker:
    """What several memory buses share. `down` cuts them all off until `up`."""

    def __init__(self) -> None:
        self.queues: dict[str, MemoryQueue] = {}
        self._bindings: dict[str, list[str]] = {}
        self._retry_queues: dict[str, tuple[str, float]] = {}
        self._delayed = 0
        self.changed = asyncio.Event()
        self._reachable = asyncio.Event()
        self._reachable.set()

    @property
    def away(self) -> bool:
        return not self._reachable.is_set()

    @property
    def busy(self) -> bool:
        return self._delayed > 0 or any(queue.busy for queue in self.queues.values())

    async def settled(self) -> None:
        """Wait until nothing is in a wanted queue, in hand or in a retry queue, and the broker is up."""
        while self.away or self.busy:
            self.changed.clear()
            await self.changed.wait()

    def down(self) -> None:
        self._reachable.clear()
        for channel in [channel for queue in self.queues.values() for channel in queue.channels]:
            channel.lose()

    def up(self) -> None:
        self._reachable.set()
        self.changed.set()

    async def reachable(self) -> None:
        await self._reachable.wait()

    def declare(self, group: Group | OrderedGroup, policy: RetryPolicy) -> None:
        ordered = isinstance(group, OrderedGroup)
        for name, keys in working_queues(group).items():
            self.queues.setdefault(name, MemoryQueue(name, single_active=ordered))
            for binding in keys:
                bound = self._bindings.setdefault(binding, [])
                bound.extend([name] if name not in bound else [])
        for queue, seconds in retry_queues(group, policy.delays).items():
            self._retry_queues[queue] = (group.name, seconds)
        self.queues.setdefault(dead_queue(group.name), MemoryQueue(dead_queue(group.name)))

    def route(self, routing_key: str, message: Message) -> None:
        """Put a message into every queue bound to the key. Raises Unavailable while down."""
        self._check()
        for queue in self._bound(routing_key):
            self.queues[queue].put(message)

    def _bound(self, routing_key: str) -> Iterator[str]:
        pattern = routing_key.rpartition(".")[0] + ".*"
        yield from self._bindings.get(routing_key, ())
        yield from self._bindings.get(pattern, ())

    def send(self, queue: str, message: Message) -> None:
        """Put a message into one queue, which may be a retry queue. Raises Unavailable while down."""
        self._check()
        if queue not in self._retry_queues:
            self.queues[queue].put(message)
            return
        target, seconds = self._retry_queues[queue]
        self._delayed += 1
        asyncio.get_running_loop().call_later(seconds, self._end_of_delay, target, message)

    def _end_of_delay(self, target: str, message: Message) -> None:
        self._delayed -= 1
        self.queues[target].put(message)
        self.changed.set()

    def _check(self) -> None:
        if self.away:
            raise Unavailable("the broker is away: it is down")
