"""Places that clients share: so many in all, and for each client so many that others cannot take."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FairSlots:
    """`total` places. A client has more than its `share` of them only while others leave half unused.

    So many people behind one address are as fast as they can be while nobody else is there. Those who wait
    get the next places by turns of the clients.
    """

    def __init__(self, total: int, share: int):
        self._free = total
        self._plenty = total // 2
        self._share = share
        self._held: Counter[str] = Counter()
        # By client; whose turn is next comes first.
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def hold(self, client: str, patience: float) -> AsyncIterator[None]:
        """Hold a place; raises `TimeoutError` if none is free for this client within `patience` seconds."""
        if client not in self._waiting and self._has_place(client):
            self._take(client)
        else:
            await self._turn(client, patience)
        try:
            yield
        finally:
            self._give_back(client)

    def _has_place(self, client: str) -> bool:
        return self._free > (0 if self._held[client] < self._share else self._plenty)

    def _take(self, client: str) -> None:
        self._free -= 1
        self._held[client] += 1

    async def _turn(self, client: str, patience: float) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        try:
            async with asyncio.timeout(patience):
                await turn
        except (TimeoutError, asyncio.CancelledError):
            if turn.cancelled():
                self._leave(client, turn)
            else:
                self._give_back(client)  # it had just become ours
            raise

    def _leave(self, client: str, turn: asyncio.Future[None]) -> None:
        turns = self._waiting.get(client, deque())
        if turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[client]

    def _give_back(self, client: str) -> None:
        self._free += 1
        self._held[client] -= 1
        if not self._held[client]:
            del self._held[client]
        while self._free and (following := next(filter(self._has_place, self._waiting), None)):
            self._grant(following)

    def _grant(self, client: str) -> None:
        turn = self._waiting[client][0]
        self._leave(client, turn)
        if client in self._waiting:
            self._waiting.move_to_end(client)
        if not turn.done():
            self._take(client)
            turn.set_result(None)
