"""One consumed queue for the life of the process: opened again whenever its intake ends."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from shared.bus.intake import Intake
from shared.errors import Unavailable
from shared.runtime.backoff import Backoff
from shared.runtime.tasks import wait_at_most

log = structlog.get_logger(__name__)

Opener = Callable[[], Awaitable[Intake]]
Worker = Callable[[Intake], Awaitable[None]]


class Consumer:
    """`open` waits for the broker and raises Unavailable where it cannot consume; anything else is fatal."""

    def __init__(self, queue: str, open_intake: Opener, work: Worker, backoff: Backoff) -> None:
        self._queue = queue
        self._open = open_intake
        self._work = work
        self._backoff = backoff
        self._intake: Intake | None = None
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
                intake = await self._open()
            except Unavailable as error:
                if self._backoff.is_news(failures):
                    log.warning(
                        "bus.consume_failed", queue=self._queue, reason=error.message, failures=failures + 1
                    )
                await wait_at_most(self._stopping, self._backoff.delay(failures))
                failures += 1
                continue
            failures = 0
            await self._consume(intake)
            await wait_at_most(self._stopping, self._backoff.delay(0))

    async def _consume(self, intake: Intake) -> None:
        self._intake = intake
        if self._stopping.is_set():
            intake.end()
        self.consuming.set()
        try:
            await self._work(intake)
        finally:
            self.consuming.clear()
            await intake.close()

    def stop(self) -> bool:
        """Take no more; whether anything may be in hand, so that `run` returns when it is settled."""
        self._stopping.set()
        if self._intake is not None:
            self._intake.end()
        return self.consuming.is_set()
