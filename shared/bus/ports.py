"""What services see of the bus."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.bus.groups import Group, OrderedGroup
from shared.contracts.event import Envelope


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
