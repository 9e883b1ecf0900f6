"""A broker in memory: queues with unacknowledged messages, single active consumers, delay lanes."""

import asyncio
from collections import deque
from collections.abc import Iterator

from shared.bus.codec import Parcel
from shared.bus.intake import Delivery, Intake
from shared.bus.naming import broadcast_bindings, dead_queue, lanes, working_queues
from shared.bus.policy import RetryPolicy
from shared.bus.ports import Broadcast, Group, OrderedGroup
from shared.errors import Unavailable
from shared.ids import new_id


class MemoryQueue:
    """`wanted` is the number of buses that consume it, also while they are cut off."""

    def __init__(self, name: str, *, single_active: bool = False) -> None:
        self.name = name
        self.waiting: deque[Parcel] = deque()
        self.intakes: list[MemoryIntake] = []
        self.wanted = 0
        self._single_active = single_active

    @property
    def busy(self) -> bool:
        return self.wanted > 0 and bool(self.waiting or any(intake.unacknowledged for intake in self.intakes))

    def put(self, parcel: Parcel) -> None:
        self.waiting.append(parcel)
        self.hand_out()

    def give_back(self, parcels: list[Parcel]) -> None:
        self.waiting.extendleft(reversed(parcels))
        self.hand_out()

    def hand_out(self) -> None:
        while self.waiting and (intake := self._free()) is not None:
            intake.receive(self.waiting.popleft())

    def _free(self) -> "MemoryIntake | None":
        """The active consumer, or the one with the least in hand, unless it has as much as it wants."""
        candidates = self.intakes[:1] if self._single_active else self.intakes
        intake = min(candidates, key=lambda one: len(one.unacknowledged), default=None)
        return intake if intake and len(intake.unacknowledged) < intake.prefetch else None


class MemoryIntake(Intake):
    def __init__(self, broker: "MemoryBroker", queue: MemoryQueue, prefetch: int) -> None:
        super().__init__(queue.name)
        self.prefetch = prefetch
        self.unacknowledged: dict[int, Parcel] = {}
        self._broker = broker
        self._source = queue
        self._tag = 0
        queue.intakes.append(self)
        queue.hand_out()

    def receive(self, parcel: Parcel) -> None:
        self._tag += 1
        self.unacknowledged[self._tag] = parcel
        self.put(Delivery(self._tag, self.queue, parcel.headers, parcel.body))

    async def ack(self, tag: int, *, multiple: bool = False) -> None:
        for done in [one for one in self.unacknowledged if one == tag or (multiple and one < tag)]:
            del self.unacknowledged[done]
        self._source.hand_out()
        self._broker.changed.set()

    async def send(self, queue: str, parcel: Parcel) -> None:
        self._broker.send(queue, parcel)

    async def close(self) -> None:
        self.lose()

    def lose(self) -> None:
        """As when the connection is lost: what is not acknowledged is the queue's again."""
        self.end()
        if self in self._source.intakes:
            self._source.intakes.remove(self)
            unacknowledged, self.unacknowledged = self.unacknowledged, {}
            self._source.give_back(list(unacknowledged.values()))
            self._broker.changed.set()


class MemoryListener(MemoryIntake):
    """The intake of a queue that goes when its consumer does."""

    def lose(self) -> None:
        super().lose()
        self._broker.forget(self.queue)


class MemoryBroker:
    """What several memory buses share. `down` cuts them all off until `up`."""

    def __init__(self) -> None:
        self.queues: dict[str, MemoryQueue] = {}
        self._bindings: dict[str, list[str]] = {}
        self._lanes: dict[str, tuple[str, float]] = {}
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
        """Wait until nothing is in a wanted queue, in hand or in a lane, and the broker is up."""
        while self.away or self.busy:
            self.changed.clear()
            await self.changed.wait()

    def down(self) -> None:
        self._reachable.clear()
        for intake in [intake for queue in self.queues.values() for intake in queue.intakes]:
            intake.lose()

    def up(self) -> None:
        self._reachable.set()
        self.changed.set()

    async def reachable(self) -> None:
        await self._reachable.wait()

    def declare(self, group: Group | OrderedGroup, policy: RetryPolicy) -> None:
        ordered = isinstance(group, OrderedGroup)
        for name, bindings in working_queues(group).items():
            self.queues.setdefault(name, MemoryQueue(name, single_active=ordered))
            for binding in bindings:
                bound = self._bindings.setdefault(binding, [])
                bound.extend([name] if name not in bound else [])
        for lane, seconds in lanes(group, policy):
            self._lanes[lane] = (group.name, seconds)
        self.queues.setdefault(dead_queue(group.name), MemoryQueue(dead_queue(group.name)))

    def listen(self, broadcast: Broadcast, prefetch: int) -> MemoryListener:
        """Consume a new queue that is bound as the broadcast wants."""
        queue = MemoryQueue(f"{broadcast.name}.{new_id()}")
        queue.wanted = 1
        self.queues[queue.name] = queue
        for binding in broadcast_bindings(broadcast):
            self._bindings.setdefault(binding, []).append(queue.name)
        return MemoryListener(self, queue, prefetch)

    def forget(self, queue: str) -> None:
        self.queues.pop(queue, None)
        for bound in self._bindings.values():
            bound[:] = [name for name in bound if name != queue]

    def route(self, routing_key: str, parcel: Parcel) -> None:
        """Put a message into every queue bound to the key. Raises Unavailable while down."""
        self._check()
        for queue in self._bound(routing_key):
            self.queues[queue].put(parcel)

    def _bound(self, routing_key: str) -> Iterator[str]:
        pattern = routing_key.rpartition(".")[0] + ".*"
        yield from self._bindings.get(routing_key, ())
        yield from self._bindings.get(pattern, ())

    def send(self, queue: str, parcel: Parcel) -> None:
        """Put a message into one queue, or into a lane that ends there. Raises Unavailable while down."""
        self._check()
        if queue not in self._lanes:
            self.queues[queue].put(parcel)
            return
        target, seconds = self._lanes[queue]
        self._delayed += 1
        asyncio.get_running_loop().call_later(seconds, self._end_of_lane, target, parcel)

    def _end_of_lane(self, target: str, parcel: Parcel) -> None:
        self._delayed -= 1
        self.queues[target].put(parcel)
        self.changed.set()

    def _check(self) -> None:
        if self.away:
            raise Unavailable("the broker is away: it is down")
