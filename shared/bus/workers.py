"""The workers of a group: one handles each event on its own, the other batches of one partition in order."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog
from pydantic import ValidationError

from shared.bus.codec import Malformed, UnknownEvent, decode
from shared.bus.consumer import ConsumerChannel, Delivery
from shared.bus.metrics import GroupMetrics
from shared.bus.ports import Group, OrderedGroup, dead_queue, retry_queue
from shared.bus.retry import Abandoned, HandlerInvoker, HeldTooLong, RetryPolicy, attempts, failed, forwarded
from shared.clock import Clock
from shared.contracts.event import Envelope
from shared.runtime.log import bind_request_id, bind_session, describe

log = structlog.get_logger(__name__)

G = TypeVar("G", Group, OrderedGroup)


class _Worker(Generic[G]):
    def __init__(self, group: G, policy: RetryPolicy, clock: Clock, metrics: GroupMetrics) -> None:
        self._group: G = group
        self._policy = policy
        self._clock = clock
        self._metrics = metrics
        self._invoker = HandlerInvoker(group.name, policy, metrics)

    async def _read(self, channel: ConsumerChannel, delivery: Delivery) -> Envelope | None:
        """The event in a message; None for one that this release does not know or that was dead-lettered."""
        if delivery.redelivered:
            self._metrics.redelivered.inc()
        try:
            return decode(delivery.headers, delivery.body)
        except UnknownEvent as event:
            self._metrics.ignored.inc()
            log.info("bus.unknown_event", group=self._group.name, event_name=str(event))
        except Malformed as error:
            await self._dead_letter(channel, delivery, error)
        return None

    def _succeeded(self, envelopes: Sequence[Envelope]) -> None:
        now = self._clock.now()
        for envelope in envelopes:
            self._metrics.handled(envelope.event.name)
            self._metrics.lag.observe((now - envelope.time).total_seconds())

    async def _dead_letter(
        self, channel: ConsumerChannel, delivery: Delivery, error: Exception, count: int = 1
    ) -> None:
        message = failed(delivery, error, at=self._clock.now(), count=count)
        await self._invoker.send_on(channel, dead_queue(self._group.name), message)
        self._metrics.dead.inc()
        log.error("bus.dead_lettered", group=self._group.name, id=message.id, error=describe(error))


class UnorderedWorker(_Worker[Group]):
    """Each event on its own; a failed one goes through the retry queues."""

    async def run(self, channel: ConsumerChannel) -> None:
        """Settle deliveries, as many at once as the channel hands out, until it ends."""
        async with asyncio.TaskGroup() as tasks:
            while deliveries := await channel.take(self._group.concurrency):
                for delivery in deliveries:
                    tasks.create_task(self._settle(channel, delivery))

    async def _settle(self, channel: ConsumerChannel, delivery: Delivery) -> None:
        """Acknowledge the delivery once it is handled, or safe in a retry queue or the dead letters."""
        with self._metrics.in_hand(delivery.headers.get("ce-time")):
            try:
                envelope = await self._read(channel, delivery)
                if envelope is not None:
                    await self._handle(channel, delivery, envelope)
            except Abandoned:
                return
            await channel.ack(delivery.tag)

    async def _handle(self, channel: ConsumerChannel, delivery: Delivery, envelope: Envelope) -> None:
        event = envelope.event
        handler = self._group.handlers.get(type(event))
        if handler is None:
            self._metrics.ignored.inc()
            return
        _bind([envelope])
        try:
            error = await self._invoker.call(channel, [envelope], lambda: handler(envelope))
        except HeldTooLong:
            longest = retry_queue(self._group.name, self._policy.delays[-1])
            await self._invoker.send_on(channel, longest, forwarded(delivery))
            return
        if error is not None:
            await self._failed(channel, delivery, error)
            return
        self._succeeded([envelope])
        log.debug("bus.handled", group=self._group.name, event_name=event.name, id=envelope.id, key=event.key)

    async def _failed(self, channel: ConsumerChannel, delivery: Delivery, error: Exception) -> None:
        done = attempts(delivery.headers)
        if isinstance(error, ValidationError) or done >= len(self._policy.delays):
            await self._dead_letter(channel, delivery, error)
            return
        self._metrics.failed.inc()
        queue = retry_queue(self._group.name, self._policy.delays[done])
        await self._invoker.send_on(channel, queue, failed(delivery, error, at=self._clock.now()))


@dataclass(frozen=True, slots=True)
class _Item:
    delivery: Delivery
    envelope: Envelope


class OrderedWorker(_Worker[OrderedGroup]):
    """Batches of one partition in order; nothing overtakes."""

    def __init__(self, group: OrderedGroup, policy: RetryPolicy, clock: Clock, metrics: GroupMetrics) -> None:
        super().__init__(group, policy, clock, metrics)
        self._events = frozenset(group.events)

    async def run(self, channel: ConsumerChannel) -> None:
        """Handle batches of what has arrived meanwhile, until the channel ends."""
        while deliveries := await channel.take(self._group.batch_size):
            with self._metrics.in_hand(deliveries[0].headers.get("ce-time")):
                try:
                    await self._settle(channel, deliveries)
                except Abandoned:
                    return
                except HeldTooLong:
                    # Ending the channel gives the messages back in order before the broker's patience ends.
                    channel.end()

    async def _settle(self, channel: ConsumerChannel, deliveries: Sequence[Delivery]) -> None:
        items = [
            _Item(delivery, envelope)
            for delivery in deliveries
            if (envelope := await self._read(channel, delivery)) and self._is_wanted(envelope)
        ]
        if items:
            self._metrics.batch.observe(len(items))
            await self._handle(channel, items)
        await channel.ack_up_to(deliveries[-1].tag)

    def _is_wanted(self, envelope: Envelope) -> bool:
        if type(envelope.event) in self._events:
            return True
        self._metrics.ignored.inc()
        return False

    async def _handle(self, channel: ConsumerChannel, items: Sequence[_Item]) -> None:
        """Handle the batch whole, retried in place; then look for what in it cannot be handled."""
        failures = 0
        while (error := await self._call(channel, items)) is not None:
            failures += 1
            if isinstance(error, ValidationError) or failures >= self._policy.ordered_attempts:
                await self._isolate(channel, items, error, failures)
                return
            self._metrics.failed.inc()
            await channel.pause(self._policy.ordered_backoff.delay(failures - 1))
            if channel.ended:
                raise Abandoned

    async def _isolate(
        self, channel: ConsumerChannel, items: Sequence[_Item], error: Exception, failures: int
    ) -> None:
        """Halve the failed batch until what fails is a single event, and dead-letter that one."""
        if len(items) == 1:
            await self._dead_letter(channel, items[0].delivery, error, failures)
            return
        middle = len(items) // 2
        for half in (items[:middle], items[middle:]):
            failure = await self._call(channel, half)
            if failure is not None:
                await self._isolate(channel, half, failure, failures + 1)
            await channel.ack_up_to(half[-1].delivery.tag)

    async def _call(self, channel: ConsumerChannel, items: Sequence[_Item]) -> Exception | None:
        envelopes = [item.envelope for item in items]
        _bind(envelopes)
        error = await self._invoker.call(channel, envelopes, lambda: self._group.handle(envelopes))
        if error is None:
            self._succeeded(envelopes)
            log.debug("bus.batch_handled", group=self._group.name, queue=channel.queue, events=len(items))
        return error


def _bind(envelopes: Sequence[Envelope]) -> None:
    """Log lines say which request and session the events are of, if it is one."""
    first, *others = envelopes
    event = first.event
    bind_request_id(first.request_id if all(one.request_id == first.request_id for one in others) else None)
    if all(one.event.key == event.key for one in others):
        bind_session(event.key if event.in_session else None, event.owner_id)
