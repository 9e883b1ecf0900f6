"""Calling handlers, and sending on what they failed on."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from shared.bus.codec import Parcel
from shared.bus.intake import Intake
from shared.bus.metrics import GroupMetrics
from shared.bus.policy import RetryPolicy
from shared.bus.reasons import describe, trace
from shared.errors import Unavailable
from shared.runtime.tasks import cancelled_by_us

log = structlog.get_logger(__name__)


class Abandoned(Exception):
    """The intake ended before the message was settled: it stays unacknowledged and comes again."""


class HeldTooLong(Exception):
    """Something the handler needs has been away for so long that the broker would lose patience."""


class HandlerCancelled(Exception):
    """A CancelledError that nobody asked for, as drivers raise it when their connection goes."""


class Calls:
    """Handler calls of one group."""

    def __init__(self, group: str, policy: RetryPolicy, metrics: GroupMetrics) -> None:
        self._group = group
        self._policy = policy
        self._metrics = metrics

    async def call(self, intake: Intake, handle: Callable[[], Awaitable[None]]) -> Exception | None:
        """Call until it succeeds (None) or fails (the error); waits as long as it raises Unavailable.

        Raises Abandoned where the intake ends meanwhile and HeldTooLong after the policy's `hold`.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._policy.hold
        waits = 0
        while isinstance(failure := await self._once(handle), Unavailable):
            if intake.ended:
                raise Abandoned
            if clock() >= deadline:
                raise HeldTooLong(failure.message)
            self._metrics.unavailable.inc()
            log.warning(
                "bus.waiting", group=self._group, queue=intake.queue, reason=failure.message, waits=waits
            )
            await intake.pause(self._policy.unavailable_backoff.delay(waits))
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

    async def send_on(self, intake: Intake, queue: str, parcel: Parcel) -> None:
        """Put the message into another queue of the group, trying until the broker confirms it.

        Raises Abandoned where the intake ends before that.
        """
        waits = 0
        while True:
            try:
                await intake.send(queue, parcel)
            except Unavailable as error:
                log.warning("bus.send_failed", group=self._group, queue=queue, reason=error.message)
            else:
                return
            if intake.ended:
                raise Abandoned
            await intake.pause(self._policy.unavailable_backoff.delay(waits))
            waits += 1
