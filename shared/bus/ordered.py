"""The worker of one partition of an ordered group: batches in order, nothing overtakes."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from pydantic import ValidationError

from shared.bus.calls import Abandoned, Calls, HeldTooLong
from shared.bus.codec import Malformed, UnknownEvent, decode
from shared.bus.failures import failed
from shared.bus.intake import Delivery, Intake
from shared.bus.metrics import GroupMetrics
from shared.bus.naming import dead_queue
from shared.bus.policy import RetryPolicy
from shared.bus.ports import OrderedGroup
from shared.bus.reasons import describe
from shared.clock import Clock
from shared.contracts.event import Envelope

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Item:
    delivery: Delivery
    envelope: Envelope


class OrderedWorker:
    def __init__(self, group: OrderedGroup, policy: RetryPolicy, clock: Clock, metrics: GroupMetrics) -> None:
        self._group = group
        self._policy = policy
        self._clock = clock
        self._metrics = metrics
        self._calls = Calls(group.name, policy, metrics)
        self._events = frozenset(group.events)

    async def run(self, intake: Intake) -> None:
        """Handle batches of what has come in meanwhile, until the intake ends."""
        while deliveries := await intake.take(self._group.batch_size):
            try:
                await self._settle(intake, deliveries)
            except Abandoned:
                return
            except HeldTooLong:
                # Ending the intake gives the messages back in their order before the broker's patience ends.
                intake.end()

    async def _settle(self, intake: Intake, deliveries: Sequence[Delivery]) -> None:
        items = [item for delivery in deliveries if (item := await self._read(intake, delivery))]
        if items:
            self._metrics.batch.observe(len(items))
            await self._handle(intake, items)
        await intake.ack_up_to(deliveries[-1].tag)

    async def _read(self, intake: Intake, delivery: Delivery) -> Item | None:
        """The event in a message; None for one that is ignored or dead-lettered."""
        try:
            envelope = decode(delivery.headers, delivery.body)
        except UnknownEvent as event:
            log.info("bus.unknown_event", group=self._group.name, event_name=str(event))
        except Malformed as error:
            await self._bury(intake, delivery, error, attempts=1)
            return None
        else:
            if type(envelope.event) in self._events:
                return Item(delivery, envelope)
        self._metrics.ignored.inc()
        return None

    async def _handle(self, intake: Intake, items: Sequence[Item]) -> None:
        """Handle the batch whole, retried in place; then look for what in it cannot be handled."""
        attempts = 0
        while (error := await self._call(intake, items)) is not None:
            attempts += 1
            if isinstance(error, ValidationError) or attempts >= self._policy.ordered_attempts:
                await self._isolate(intake, items, error, attempts)
                return
            self._metrics.failed.inc()
            await self._pause(intake, attempts - 1)

    async def _isolate(self, intake: Intake, items: Sequence[Item], error: Exception, attempts: int) -> None:
        """Halve the failed batch until what fails is a single event, and dead-letter that one."""
        if len(items) == 1:
            await self._bury(intake, items[0].delivery, error, attempts)
            return
        middle = len(items) // 2
        for half in (items[:middle], items[middle:]):
            failure = await self._call(intake, half)
            if failure is not None:
                await self._isolate(intake, half, failure, attempts + 1)
            await intake.ack_up_to(half[-1].delivery.tag)

    async def _call(self, intake: Intake, items: Sequence[Item]) -> Exception | None:
        envelopes = [item.envelope for item in items]
        error = await self._calls.call(intake, lambda: self._group.handle(envelopes))
        if error is None:
            now = self._clock.now()
            for envelope in envelopes:
                self._metrics.handled(envelope.event.name)
                self._metrics.lag.observe((now - envelope.time).total_seconds())
            log.debug("bus.batch_handled", group=self._group.name, queue=intake.queue, events=len(items))
        return error

    async def _pause(self, intake: Intake, attempt: int) -> None:
        await intake.pause(self._policy.ordered_backoff.delay(attempt))
        if intake.ended:
            raise Abandoned

    async def _bury(self, intake: Intake, delivery: Delivery, error: Exception, attempts: int) -> None:
        parcel = failed(delivery, error, at=self._clock.now(), count=attempts)
        await self._calls.send_on(intake, dead_queue(self._group.name), parcel)
        self._metrics.dead.inc()
        log.error("bus.dead_lettered", group=self._group.name, id=parcel.id, error=describe(error))
