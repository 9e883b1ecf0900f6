"""What services see of the bus: groups of handlers, the names of their queues, and the ports."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar, cast

from shared.contracts.event import PARTITIONS, Envelope, Event

EXCHANGE = "greenroom.events"

Handler = Callable[[Envelope], Awaitable[None]]
BatchHandler = Callable[[Sequence[Envelope]], Awaitable[None]]
EventHandler = tuple[type[Event], Handler]

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Group:
    """Handlers that may run in any order and at the same time, each event handled by one of the replicas.

    `name` is the queue's name, e.g. `session.sessions`; `concurrency` the number of handlers at once.
    A handler may see an event twice. What it raises: `Unavailable` is retried in place without limit;
    anything else is retried after the delays of the retry queues, then dead-lettered.
    """

    name: str
    handlers: Mapping[type[Event], Handler]
    concurrency: int = 16


@dataclass(frozen=True)
class OrderedGroup:
    """A handler of batches; a batch holds events of one partition in the order they were published.

    Batches of different partitions are handled at the same time, possibly by different replicas.
    After a failure the same events come again, so earlier ones of a batch may be seen twice.
    """

    name: str
    events: tuple[type[Event], ...]
    handle: BatchHandler
    batch_size: int = 500


def on(event: type[E], react: Callable[[E], Awaitable[None]]) -> EventHandler:
    """An event and its reaction, for `Group(name, dict([on(SessionEnded, service.close), …]))`."""

    async def handle(envelope: Envelope) -> None:
        await react(cast(E, envelope.event))

    return event, handle


def combined(event_handlers: Iterable[EventHandler]) -> Mapping[type[Event], Handler]:
    """The handlers of a group; several handlers of an event run one after the other."""
    by_event: dict[type[Event], list[Handler]] = defaultdict(list)
    for event, handler in event_handlers:
        by_event[event].append(handler)
    return {event: _in_turn(handlers) for event, handlers in by_event.items()}


def _in_turn(handlers: Sequence[Handler]) -> Handler:
    async def handle(envelope: Envelope) -> None:
        for handler in handlers:
            await handler(envelope)

    return handle


def partition_queue(group: str, partition: int) -> str:
    return f"{group}.{partition:02d}"


def dead_queue(group: str) -> str:
    return f"{group}.dead"


def retry_queue(group: str, seconds: float) -> str:
    """The delay is part of the name, since a queue's arguments never change."""
    return f"{group}.retry.{seconds:g}s"


def working_queues(group: Group | OrderedGroup) -> dict[str, list[str]]:
    """The queues that are consumed, each with its binding keys."""
    if isinstance(group, Group):
        return {group.name: [f"{event.name}.*" for event in group.handlers]}
    return {
        partition_queue(group.name, partition): [f"{event.name}.{partition:02d}" for event in group.events]
        for partition in range(PARTITIONS)
    }


def retry_queues(group: Group | OrderedGroup, delays: Sequence[float]) -> dict[str, float]:
    """The retry queues, each with its delay in seconds; ordered groups have none."""
    if isinstance(group, OrderedGroup):
        return {}
    return {retry_queue(group.name, seconds): seconds for seconds in delays}


def belongs(queue: str, group: str) -> bool:
    """Whether the group consumes `queue`, so that a replay cannot reach another's."""
    return queue == group or queue in {partition_queue(group, number) for number in range(PARTITIONS)}


class Publisher(Protocol):
    async def publish(self, envelope: Envelope) -> None:
        """Returns once the broker has confirmed it. The same envelope may arrive twice.

        Raises Unavailable if the broker does not confirm within 5 s, without delay while it is known to
        be away.
        """
        ...


@dataclass(frozen=True)
class DeadLetter:
    """A message that a group gave up. `id` is the event's id, `queue` the queue it is replayed to.

    `reason` is the error's class and message; the times are None if the broker itself gave it up.
    """

    id: str
    queue: str
    event: str
    key: str
    reason: str
    attempts: int
    first_failed_at: datetime | None
    last_failed_at: datetime | None
    body: bytes


class Bus(Publisher, Protocol):
    async def start(self) -> None:
        """Connect and declare. An absent broker is no error: the bus keeps trying, and `state` reports it."""
        ...

    async def subscribe(self, group: Group | OrderedGroup) -> None:
        """Declare the group's queues and consume them until `stop_consuming`."""
        ...

    def state(self) -> str | None:
        """None when all is well, else a sentence for `/readyz`."""
        ...

    async def run(self) -> None:
        """Returns after `close`; raises when a part of the bus died for good. To be supervised."""
        ...

    async def stop_consuming(self) -> None:
        """Take no more, finish what is in hand; what is not finished in time goes back to its queue."""
        ...

    async def close(self) -> None: ...

    async def dead_letters(self, group: str, *, limit: int = 1000) -> list[DeadLetter]:
        """The dead letters of the group so named, oldest first; they stay where they are."""
        ...

    async def replay(self, group: str, ids: Collection[str] | None = None) -> int:
        """Put dead letters (all, or those with these ids) back into the group's own queue; how many."""
        ...
