"""The worker of an unordered group: each event on its own, failures through the delay lanes."""

import asyncio

import structlog
from pydantic import ValidationError

from shared.bus.calls import Abandoned, Calls, HeldTooLong
from shared.bus.codec import Malformed, UnknownEvent, decode
from shared.bus.failures import attempts, failed, forwarded
from shared.bus.intake import Delivery, Intake
from shared.bus.metrics import GroupMetrics
from shared.bus.naming import dead_queue, lane_queue
from shared.bus.policy import RetryPolicy
from shared.bus.ports import Group
from shared.bus.reasons import describe
from shared.clock import Clock
from shared.contracts.event import Envelope
from shared.runtime.log import bind_request_id

log = structlog.get_logger(__name__)


class UnorderedWorker:
    def __init__(self, group: Group, policy: RetryPolicy, clock: Clock, metrics: GroupMetrics) -> None:
        self._group = group
        self._policy = policy
        self._clock = clock
        self._metrics = metrics
        self._calls = Calls(group.name, policy, metrics)

    async def run(self, intake: Intake) -> None:
        """Settle deliveries, as many at once as the intake hands out, until it ends."""
        async with asyncio.TaskGroup() as tasks:
            while deliveries := await intake.take(self._group.concurrency):
                for delivery in deliveries:
                    tasks.create_task(self._settle(intake, delivery))

    async def _settle(self, intake: Intake, delivery: Delivery) -> None:
        """Acknowledge the delivery once it is handled, or safe in a lane or with the dead letters."""
        try:
            await self._read(intake, delivery)
        except Abandoned:
            return
        await intake.ack(delivery.tag)

    async def _read(self, intake: Intake, delivery: Delivery) -> None:
        try:
            envelope = decode(delivery.headers, delivery.body)
        except UnknownEvent as event:
            self._metrics.ignored.inc()
            log.info("bus.unknown_event", group=self._group.name, event_name=str(event))
        except Malformed as error:
            await self._bury(intake, delivery, error)
        else:
            await self._handle(intake, delivery, envelope)

    async def _handle(self, intake: Intake, delivery: Delivery, envelope: Envelope) -> None:
        handler = self._group.handlers.get(type(envelope.event))
        if handler is None:
            self._metrics.ignored.inc()
            return
        bind_request_id(envelope.request_id)
        try:
            error = await self._calls.call(intake, lambda: handler(envelope))
        except HeldTooLong:
            lane = lane_queue(self._group.name, self._policy.lanes[-1])
            await self._calls.send_on(intake, lane, forwarded(delivery))
            return
        if error is None:
            self._succeeded(envelope)
        else:
            await self._failed(intake, delivery, error)

    def _succeeded(self, envelope: Envelope) -> None:
        event = envelope.event
        self._metrics.handled(event.name)
        self._metrics.lag.observe((self._clock.now() - envelope.time).total_seconds())
        log.debug("bus.handled", group=self._group.name, event_name=event.name, id=envelope.id, key=event.key)

    async def _failed(self, intake: Intake, delivery: Delivery, error: Exception) -> None:
        done = attempts(delivery.headers)
        if isinstance(error, ValidationError) or done >= len(self._policy.lanes):
            await self._bury(intake, delivery, error)
            return
        self._metrics.failed.inc()
        lane = lane_queue(self._group.name, self._policy.lanes[done])
        await self._calls.send_on(intake, lane, failed(delivery, error, at=self._clock.now()))

    async def _bury(self, intake: Intake, delivery: Delivery, error: Exception) -> None:
        parcel = failed(delivery, error, at=self._clock.now())
        await self._calls.send_on(intake, dead_queue(self._group.name), parcel)
        self._metrics.dead.inc()
        log.error("bus.dead_lettered", group=self._group.name, id=parcel.id, error=describe(error))
