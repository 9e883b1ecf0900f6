"""One consumed queue: the channel it is consumed on, opened again whenever it ends."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog

from shared.bus.codec import Message
from shared.errors import Unavailable
from shared.runtime.backoff import Backoff
from shared.runtime.tasks import wait_at_most

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that a queue handed out; `tag` grows with each one of the same channel.

    `redelivered`: it was handed out before, and not acknowledged.
    """

    tag: int
    queue: str
    headers: Mapping[str, object]
    body: bytes
    redelivered: bool = False


class ConsumerChannel(ABC):
    """Deliveries in the order of the queue, until the channel ends: by our stop or by a lost connection.

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
        """Hand out no more and end pauses. What is in hand may still be acknowledged."""
        self._ended.set()
        self._arrived.set()

    async def take(self, limit: int) -> list[Delivery]:
        """The next deliveries, at least one and at most `limit`; none once the channel has ended."""
        while not self._waiting and not self.ended:
            self._arrived.clear()
            await self._arrived.wait()
        if self.ended:
            return []
        return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    async def pause(self, seconds: float) -> None:
        """Wait, or until the channel ends."""
        await wait_at_most(self._ended, seconds)

    async def ack_up_to(self, tag: int) -> None:
        """Acknowledge every delivery up to this one."""
        if tag > self._acknowledged:
            self._acknowledged = tag
            await self.ack(tag, multiple=True)

    @abstractmethod
    async def ack(self, tag: int, *, multiple: bool = False) -> None:
        """Acknowledge; if the connection is lost that does nothing, and the message is delivered again."""

    @abstractmethod
    async def send(self, queue: str, message: Message) -> None:
        """Put a message into a queue of the same group, confirmed. Raises Unavailable."""

    @abstractmethod
    async def close(self) -> None:
        """End, and give back to the queue what was not acknowledged. Never raises for a lost connection."""


class Consumer:
    """Consumes a queue for the life of the process.

    `open_channel` waits for the broker and raises Unavailable if it cannot consume; anything else is fatal.
    """

    def __init__(
        self,
        queue: str,
        open_channel: Callable[[], Awaitable[ConsumerChannel]],
        work: Callable[[ConsumerChannel], Awaitable[None]],
        backoff: Backoff,
    ) -> None:
        self._queue = queue
        self._open = open_channel
        self._work = work
        self._backoff = backoff
        self._channel: ConsumerChannel | None = None
        self._stopping = asyncio.Event()
        self.consuming = asyncio.Event()

    def state(self) -> str | None:
        if self.consuming.is_set() or self._stopping.is_set():
            return None
        return f"queue {self._queue} is not being consumed"

    async def run(self) -> None:
        """Consume until `stop`. Raises only what nobody foresaw, so that it is seen."""
        failures = 0
        while not self._stopping.is_set():
            try:
                channel = await self._open()
            except Unavailable as error:
                self._report(error, failures)
                await wait_at_most(self._stopping, self._backoff.delay(failures))
                failures += 1
                continue
            failures = 0
            await self._consume(channel)
            await wait_at_most(self._stopping, self._backoff.delay(0))

    def _report(self, error: Unavailable, failures: int) -> None:
        if self._backoff.is_news(failures):
            log.warning("bus.consume_failed", queue=self._queue, reason=error.message, failures=failures + 1)

    async def _consume(self, channel: ConsumerChannel) -> None:
        self._channel = channel
        if self._stopping.is_set():
            channel.end()
        self.consuming.set()
        try:
            await self._work(channel)
        finally:
            self.consuming.clear()
            await channel.close()

    def stop(self) -> bool:
        """Take no more; whether anything may be in hand, so that `run` returns when it is settled."""
        self._stopping.set()
        if self._channel is not None:
            self._channel.end()
        return self.consuming.is_set()
