"""What every bus does alike: groups, their workers and consumers, supervision and the graceful stop."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import structlog

from shared.bus.consumer import Consumer, ConsumerChannel
from shared.bus.metrics import GroupMetrics
from shared.bus.ports import Bus, Group, OrderedGroup, working_queues
from shared.bus.retry import RetryPolicy
from shared.bus.workers import OrderedWorker, UnorderedWorker
from shared.clock import Clock
from shared.errors import Unavailable
from shared.runtime.log import describe
from shared.runtime.tasks import TaskSupervisor

log = structlog.get_logger(__name__)

SUBSCRIBE_DEADLINE = 5.0


class BaseBus(Bus, ABC):
    def __init__(self, retry: RetryPolicy, clock: Clock) -> None:
        self._policy = retry
        self._clock = clock
        self._groups: dict[str, Group | OrderedGroup] = {}
        self._metrics: dict[str, GroupMetrics] = {}
        self._consumers: dict[asyncio.Task[None], Consumer] = {}
        self._supervisor = TaskSupervisor()

    async def subscribe(self, group: Group | OrderedGroup) -> None:
        """Consume the group's queues. An absent broker only delays that; wrong declarations raise."""
        if group.name in self._groups:
            raise ValueError(f"two groups are named {group.name}")
        self._groups[group.name] = group
        self._metrics[group.name] = GroupMetrics(group.name)
        await self._declare(group)
        await self._until_consuming(group.name, [self._consume(q, group) for q in working_queues(group)])

    async def _until_consuming(self, name: str, started: Sequence[Consumer]) -> None:
        deadline = SUBSCRIBE_DEADLINE if self._broker_state() is None else 0
        try:
            async with asyncio.timeout(deadline):
                for consumer in started:
                    await consumer.consuming.wait()
        except TimeoutError:
            log.warning("bus.subscribed_without_broker", group=name, reason=self.state())

    def _consume(self, queue: str, group: Group | OrderedGroup) -> Consumer:
        metrics = self._metrics[group.name]
        if isinstance(group, Group):
            prefetch = group.concurrency
            work = UnorderedWorker(group, self._policy, self._clock, metrics).run
        else:
            prefetch = group.batch_size
            work = OrderedWorker(group, self._policy, self._clock, metrics).run
        opener = partial(self._open, group, queue, prefetch)
        consumer = Consumer(queue, opener, work, self._policy.unavailable_backoff)
        self._consumers[self._supervisor.spawn(f"consumer of {queue}", consumer.run())] = consumer
        return consumer

    def state(self) -> str | None:
        if self._supervisor.error is not None:
            return f"the bus died: {describe(self._supervisor.error)}"
        states = (self._broker_state(), *(consumer.state() for consumer in self._consumers.values()))
        return next((state for state in states if state is not None), None)

    async def run(self) -> None:
        await self._supervisor.run()

    async def stop_consuming(self) -> None:
        """What is unfinished at the deadline is cancelled, and goes back to its queue with its channel."""
        consumers, self._consumers = self._consumers, {}
        for task, consumer in consumers.items():
            if not consumer.stop():
                task.cancel()
        await self._supervisor.stop_some(consumers.keys(), self._policy.stop_deadline)

    async def close(self) -> None:
        await self.stop_consuming()
        await self._supervisor.stop()

    async def count_dead_letters(self) -> None:
        """Set the gauge of each subscribed group."""
        for name, metrics in self._metrics.items():
            with self._counting(name):
                metrics.dead_letters.set(await self._dead_letter_count(name))

    async def count_ready(self) -> None:
        """Set the gauge of each subscribed group."""
        for name, metrics in self._metrics.items():
            with self._counting(name):
                metrics.ready.set(await self._ready_count(self._groups[name]))

    @staticmethod
    @contextmanager
    def _counting(group: str) -> Iterator[None]:
        try:
            yield
        except Unavailable as error:
            log.info("bus.count_failed", group=group, reason=error.message)

    @abstractmethod
    def _broker_state(self) -> str | None: ...

    @abstractmethod
    async def _declare(self, group: Group | OrderedGroup) -> None: ...

    @abstractmethod
    async def _open(self, group: Group | OrderedGroup, queue: str, prefetch: int) -> ConsumerChannel:
        """Wait for the broker and consume the queue. Raises Unavailable."""

    @abstractmethod
    async def _dead_letter_count(self, group: str) -> int: ...

    @abstractmethod
    async def _ready_count(self, group: Group | OrderedGroup) -> int:
        """How many messages its queues have that no consumer was given. Raises Unavailable."""
