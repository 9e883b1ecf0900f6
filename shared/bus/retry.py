"""Invoking handlers: how often and how long they are tried again, and the headers of what failed."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from shared.bus.codec import Headers, Message, format_time
from shared.bus.consumer import ConsumerChannel, Delivery
from shared.bus.metrics import GroupMetrics, name_of
from shared.bus.ports import DeadLetter
from shared.bus.spans import handling
from shared.contracts.event import Envelope
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
                     consumer timeout of 30 min; then it is redelivered later, uncounted, and never
                     dead-lettered for it
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

    async def call(
        self, channel: ConsumerChannel, envelopes: Sequence[Envelope], handle: Callable[[], Awaitable[None]]
    ) -> Exception | None:
        """Call until it succeeds (None) or fails (the error); waits as long as it raises Unavailable.

        The `envelopes` are what it handles: each call is measured by them, and a step of their traces.
        Raises Abandoned if the channel ends meanwhile and HeldTooLong after the policy's `hold`.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._policy.hold
        waits = 0
        while isinstance(failure := await self._once(envelopes, handle), Unavailable):
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

    async def _once(
        self, envelopes: Sequence[Envelope], handle: Callable[[], Awaitable[None]]
    ) -> Exception | None:
        started = time.perf_counter()
        failure = await self._outcome(envelopes, handle)
        outcome = "ok" if failure is None else "unavailable" if isinstance(failure, Unavailable) else "failed"
        self._metrics.called(name_of(envelopes), outcome, time.perf_counter() - started)
        return failure

    async def _outcome(
        self, envelopes: Sequence[Envelope], handle: Callable[[], Awaitable[None]]
    ) -> Exception | None:
        try:
            with handling(self._group, envelopes):
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


ATTEMPTS = "x-greenroom-attempts"
FIRST_FAILED = "x-greenroom-first-failed"
LAST_FAILED = "x-greenroom-last-failed"
REASON = "x-greenroom-reason"
QUEUE = "x-greenroom-queue"

_OURS = (ATTEMPTS, FIRST_FAILED, LAST_FAILED, REASON, QUEUE)


def attempts(headers: Mapping[str, object]) -> int:
    """How often the handler has failed on it so far."""
    value = headers.get(ATTEMPTS, 0)
    return value if isinstance(value, int) else 0


def original(delivery: Delivery) -> Message:
    """The message as it was published: the CloudEvents headers alone."""
    return Message(_cloud_event(delivery.headers), delivery.body)


def forwarded(delivery: Delivery) -> Message:
    """The message with its count of failures unchanged."""
    ours: Headers = {
        name: value for name in _OURS if isinstance(value := delivery.headers.get(name), str | int)
    }
    return Message({**_cloud_event(delivery.headers), **ours, QUEUE: delivery.queue}, delivery.body)


def failed(delivery: Delivery, error: BaseException, *, at: datetime, count: int = 1) -> Message:
    """The message after `count` more failures; it is replayed to the queue of this delivery."""
    first = delivery.headers.get(FIRST_FAILED)
    headers: Headers = {
        **_cloud_event(delivery.headers),
        ATTEMPTS: attempts(delivery.headers) + count,
        FIRST_FAILED: first if isinstance(first, str) else format_time(at),
        LAST_FAILED: format_time(at),
        REASON: describe(error),
        QUEUE: delivery.queue,
    }
    return Message(headers, delivery.body)


def read_dead_letter(delivery: Delivery) -> DeadLetter:
    """A message of a dead-letter queue. Those the broker gave up itself carry its `x-death`."""
    headers = delivery.headers
    return DeadLetter(
        id=_text(headers, "ce-id") or f"body-{hashlib.sha256(delivery.body).hexdigest()[:16]}",
        queue=_text(headers, QUEUE) or _text(headers, "x-first-death-queue"),
        event=_text(headers, "ce-type"),
        key=_text(headers, "ce-subject"),
        reason=_text(headers, REASON) or _text(headers, "x-first-death-reason"),
        attempts=attempts(headers),
        first_failed_at=_time(headers, FIRST_FAILED),
        last_failed_at=_time(headers, LAST_FAILED),
        body=delivery.body,
    )


def _cloud_event(headers: Mapping[str, object]) -> Headers:
    return {
        name: value
        for name, value in headers.items()
        if name.startswith("ce-") and isinstance(value, str | int)
    }


def _text(headers: Mapping[str, object], name: str) -> str:
    value = headers.get(name)
    return value if isinstance(value, str) else ""


def _time(headers: Mapping[str, object], name: str) -> datetime | None:
    value = _text(headers, name)
    return datetime.fromisoformat(value) if value else None
