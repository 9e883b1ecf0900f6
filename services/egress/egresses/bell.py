"""How the worker hears that something is due, without knowing from whom."""

import asyncio

from shared.runtime.tasks import wait_at_most


class Bell:
    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Until it is rung, and no longer than `seconds`."""
        if await wait_at_most(self._rung, seconds):
            self._rung.clear()
