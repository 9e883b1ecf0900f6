"""Work that is done whenever somebody asks for it."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from shared.errors import AppError
from shared.runtime.backoff import Backoff

log = structlog.get_logger(__name__)

_BACKOFF = Backoff(0.2, 5.0)


class OnDemandWorker:
    """Does `work` after `wake`, once for all who asked meanwhile, and repeats it while it raises AppError.

    `name` is for the log.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[None]], backoff: Backoff = _BACKOFF) -> None:
        self._name = name
        self._work = work
        self._backoff = backoff
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Have it done, once more if it is being done now."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        delays = self._backoff.delays()
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self._work()
                delays = self._backoff.delays()
            except AppError as error:
                log.warning("work.postponed", work=self._name, code=error.code)
                self._woken.set()
                await asyncio.sleep(next(delays))
