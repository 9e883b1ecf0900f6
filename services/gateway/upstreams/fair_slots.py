"""Places that clients share: so many in all, and so many for each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class FairSlots:
    """`total` places, of which one client has `share` at most; who comes first, gets the next free one."""

    def __init__(self, total: int, share: int):
        self._all = asyncio.Semaphore(total)
        self._share = share
        # Those of clients that hold or want a place.
        self._shares: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, client: str, patience: float) -> AsyncIterator[None]:
        """Hold a place; raises `TimeoutError` if none is free for this client within `patience` seconds."""
        own = self._shares.get(client)
        if own is None:
            own = self._shares[client] = asyncio.Semaphore(self._share)
        async with asyncio.timeout(patience) as deadline, own, self._all:
            deadline.reschedule(None)
            yield
