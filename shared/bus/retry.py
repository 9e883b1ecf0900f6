"""Invoking handlers: how often and how long they are tried again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from shared.bus.codec import Message
from shared.bus.consumer import ConsumerChannel
from shared.bus.metrics import GroupMetrics
from shared.errors import Unavailable
from shared.runtime.backoff import Backoff
from shared.runtime.log import describe, trace
from shared.runtime.tasks import cancelled_by_us

log = structlog.get_logger(__name__)

_ORDERED_BACKOFF = Backoff(0.2, 5.0)
# Capped well below the 5 s within which work goes on once what was away is back.
_UNAVAILABLE_BACKOFF = Backoff(0.1, 1.0)


@dataclass(frozen=True)
class RetryPolicy:
    """All times in seconds.

    delays           of the retry queues, through which an unordered group's failed event goes one after the
                     other; then it is dead-lettered
    ordered_attempts how often a batch is handled before its poison is looked for
    hold             how long `Unavailable` may keep a message unacknowledged: well below RabbitMQ's
                     consumer timeout of 30 min
    handler_timeout  a handler that takes longer has failed
    stop_deadline    how long `stop_consuming` waits for handlers in hand
    """

    delays: tuple[float, ...] = (1.0, 5.0, 30.0)
    ordered_attempts: int = 4
    ordered_backoff: Backoff = _ORDERED_BACKOFF
    unavailable_backoff: Backoff = _UNAVAILABLE_BACKOFF
    hold: float = 600.0
    handler_timeout: float = 60.0
    stop_deadline: float = 10.0

    def __post_init__(self) -> None:
        if not self.delays:
            raise ValueError("a retry policy needs at least one delay")


class Abandoned(Exception):
    """The channel ended before the message was settled: it stays unacknowledged and is delivered again."""


class HeldTooLong(Exception):
    """Something the handler needs has been away for so long that the broker would lose patience."""


class HandlerCancelled(Exception):
    """A CancelledError that nobody asked for, as drivers raise it when their connection goes."""


class HandlerInvoker:
    """Calls the handlers of one group, and sends on what they failed on."""

    def __init__(self, group: str, policy: RetryPolicy, metrics: GroupMetrics) -> None:
        self._group = group
        self._policy = policy
        self._metrics = metrics

    async def call(self, channel: ConsumerChannel, handle: Callable[[], Awaitable[None]]) -> Exception | None:
        """Call until it succeeds (None) or fails (the error); waits as long as it raises Unavailable.

        Raises Abandoned if the channel ends meanwhile and HeldTooLong after the policy's `hold`.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._policy.hold
        waits = 0
        while isinstance(failure := await self._once(handle), Unavailable):
            if channel.ended:
                raise Abandoned
            if clock() >= deadline:
                raise HeldTooLong(failure.message)
            self._metrics.unavailable.inc()
            log.warning(
                "bus.waiting", group=self._group, queue=channel.queue, reason=failure.message, waits=waits
            )
            await channel.pause(self._policy.unavailable_backoff.delay(waits))
            waits += 1
        return failure

    async def _once(self, handle: Callable[[], Awaitable[None]]) -> Exception | None:
        try:
            with self._metrics.seconds.time():
                async with asyncio.timeout(self._policy.handler_timeout):
                    await handle()
        except asyncio.CancelledError:
            if cancelled_by_us():
                raise
            return HandlerCancelled("the handler was cancelled by nobody of ours")
        except Exception as error:
            if not isinstance(error, Unavailable):
                log.warning(
                    "bus.handler_failed", group=self._group, error=describe(error), trace=trace(error)
                )
            return error
        return None

    async def send_on(self, channel: ConsumerChannel, queue: str, message: Message) -> None:
        """Put the message into another queue of the group, trying until the broker confirms it.

        Raises Abandoned if the channel ends before that.
        """
        for delay in self._policy.unavailable_backoff.delays():
            try:
                await channel.send(queue, message)
            except Unavailable as error:
                log.warning("bus.send_failed", group=self._group, queue=queue, reason=error.message)
            else:
                return
            if channel.ended:
                raise Abandoned
            await channel.pause(delay)
