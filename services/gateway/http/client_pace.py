"""How slow a client may be while something that others need is held for it."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

T = TypeVar("T")

# Bytes a second that a client must send or take on average: less than the slowest usable uplink.
SLOWEST: Final = 16 * 1024


class ClientPace:
    """A client may keep us waiting for `seconds`; every `SLOWEST` bytes that it moves give back one of them.

    So nobody gains time by announcing much, or by having been fast before.
    """

    def __init__(self, seconds: float):
        self._most = self._left = seconds

    async def wait(self, step: Awaitable[T]) -> T:
        """Wait for what the client has to do; raises `TimeoutError`."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(max(0.0, self._left)):
                return await step
        finally:
            self._left -= loop.time() - began

    def moved(self, size: int) -> None:
        """So many bytes were sent or taken."""
        self._left = min(self._most, self._left + size / SLOWEST)
