"""The time that one side has for its next step; the other side's steps do not count."""

import asyncio
from types import TracebackType


class Stopwatch:
    """As a context, raises `TimeoutError` when `seconds` passed since it was last restarted."""

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(seconds)
        self._running = False

    async def __aenter__(self) -> "Stopwatch":
        await self._timeout.__aenter__()
        self._running = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running = False
        await self._timeout.__aexit__(kind, error, trace)

    def restart(self) -> None:
        self._set(self._loop.time() + self._seconds)

    def hold(self) -> None:
        """Stand still until the next `restart`."""
        self._set(None)

    def _set(self, when: float | None) -> None:
        # A body may still be read when the service has answered.
        if self._running and not self._timeout.expired():
            self._timeout.reschedule(when)
