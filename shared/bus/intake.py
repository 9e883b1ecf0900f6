"""One open consumer of one queue, as the workers see it."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from shared.bus.codec import Parcel
from shared.runtime.tasks import wait_at_most


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that a queue handed out; `tag` grows with each one of the same intake."""

    tag: int
    queue: str
    headers: Mapping[str, object]
    body: bytes


class Intake(ABC):
    """Deliveries in the order of the queue, until the intake ends: by our stop or by a lost connection.

    What is not acknowledged by then goes back to the queue.
    """

    def __init__(self, queue: str) -> None:
        self.queue = queue
        self._waiting: deque[Delivery] = deque()
        self._arrived = asyncio.Event()
        self._ended = asyncio.Event()
        self._acknowledged = 0

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    def put(self, delivery: Delivery) -> None:
        self._waiting.append(delivery)
        self._arrived.set()

    def end(self) -> None:
        """Hand out no more; pauses end at once. What is in hand may still be acknowledged."""
        self._ended.set()
        self._arrived.set()

    async def take(self, limit: int) -> list[Delivery]:
        """The next deliveries, at least one and at most `limit`; none once the intake has ended."""
        while not self._waiting and not self.ended:
            self._arrived.clear()
            await self._arrived.wait()
        if self.ended:
            return []
        return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    async def pause(self, seconds: float) -> None:
        """Wait, or until the intake ends."""
        await wait_at_most(self._ended, seconds)

    async def ack_up_to(self, tag: int) -> None:
        """Acknowledge every delivery up to this one."""
        if tag > self._acknowledged:
            self._acknowledged = tag
            await self.ack(tag, multiple=True)

    @abstractmethod
    async def ack(self, tag: int, *, multiple: bool = False) -> None:
        """Acknowledge; where the connection is lost that does nothing, and the message comes again."""

    @abstractmethod
    async def send(self, queue: str, parcel: Parcel) -> None:
        """Put a message into a queue of the same group, confirmed. Raises Unavailable."""

    @abstractmethod
    async def close(self) -> None:
        """End, and give back to the queue what was not acknowledged. Never raises for a lost connection."""
