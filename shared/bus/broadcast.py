"""The worker of a broadcast: everything is handed over at once; what cannot be is said to be missed."""

import structlog

from shared.bus.codec import Malformed, UnknownEvent, decode
from shared.bus.consumer import ConsumerChannel, Delivery
from shared.bus.metrics import GroupMetrics
from shared.bus.ports import Broadcast
from shared.clock import Clock
from shared.runtime.log import describe, trace

log = structlog.get_logger(__name__)

PREFETCH = 1000


def bindings(broadcast: Broadcast) -> list[str]:
    return [f"{event.name}.*" for event in broadcast.events]


class BroadcastWorker:
    def __init__(self, broadcast: Broadcast, clock: Clock, metrics: GroupMetrics) -> None:
        self._broadcast = broadcast
        self._clock = clock
        self._metrics = metrics
        self._events = frozenset(broadcast.events)

    async def run(self, channel: ConsumerChannel) -> None:
        """Tell what comes in until the intake ends; nothing is tried again."""
        self._broadcast.begun()
        try:
            while deliveries := await channel.take(PREFETCH):
                for delivery in deliveries:
                    self._tell(delivery)
                await channel.ack_up_to(deliveries[-1].tag)
        finally:
            self._broadcast.ended()

    def _tell(self, delivery: Delivery) -> None:
        try:
            envelope = decode(delivery.headers, delivery.body)
        except UnknownEvent:
            self._metrics.ignored.inc()
            return
        except Malformed as error:
            self._missed(error)
            return
        if type(envelope.event) not in self._events:
            self._metrics.ignored.inc()
            return
        try:
            self._broadcast.handle(envelope)
        except Exception as error:
            self._missed(error)
            return
        self._metrics.handled(envelope.event.name)
        self._metrics.lag.observe((self._clock.now() - envelope.time).total_seconds())

    def _missed(self, error: Exception) -> None:
        self._metrics.failed.inc()
        log.error("bus.missed", group=self._broadcast.name, error=describe(error), trace=trace(error))
        self._broadcast.begun()
