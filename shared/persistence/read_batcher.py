"""Reads by key gathered into few queries: what is asked for while others are under way is the next query.

A query costs a driver and a database nearly the same for one document as for twenty, so a burst costs a few
queries and a lone read waits for nobody. A read only ever joins a query that is not sent yet: nobody is
given what was there before they asked. What is given may be given to others too, so it is not to be changed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

from shared.errors import Unavailable

V = TypeVar("V")

_AT_ONCE = 2
# Any database answers so many at no more than the cost of a few; SecantusDB's cost is the square of it.
_LARGEST = 50


class ReadBatcher(Generic[V]):
    """`fetch` takes keys and returns what exists of them."""

    def __init__(self, fetch: Callable[[Sequence[str]], Awaitable[Mapping[str, V]]]):
        self._fetch = fetch
        self._waiting: dict[str, asyncio.Future[V | None]] = {}
        self._queries: set[asyncio.Task[None]] = set()

    async def one(self, key: str) -> V | None:
        """What there is under the key. Raises what its query raised."""
        return (await self.many([key])).get(key)

    async def many(self, keys: Iterable[str]) -> dict[str, V]:
        """What there is under these keys. Raises what one of its queries raised."""
        loop = asyncio.get_running_loop()
        asked = {key: self._waiting.setdefault(key, loop.create_future()) for key in dict.fromkeys(keys)}
        self._send()
        # Shielded: whoever gives up must not take it from others who ask for the same.
        found = await asyncio.gather(*(asyncio.shield(future) for future in asked.values()))
        return {key: value for key, value in zip(asked, found, strict=True) if value is not None}

    def _send(self) -> None:
        while self._waiting and len(self._queries) < _AT_ONCE:
            keys = list(islice(self._waiting, _LARGEST))
            query = asyncio.create_task(self._query({key: self._waiting.pop(key) for key in keys}))
            self._queries.add(query)
            query.add_done_callback(self._ended)

    def _ended(self, query: asyncio.Task[None]) -> None:
        self._queries.discard(query)
        self._send()

    async def _query(self, asked: Mapping[str, asyncio.Future[V | None]]) -> None:
        """It never fails by itself: whoever waits gets the error."""
        try:
            found = await self._fetch(list(asked))
        except asyncio.CancelledError:
            # Asked for or let escape by the driver.
            _fail(asked, Unavailable("The read was cancelled"))
            raise
        except Exception as error:  # handed to those who wait
            _fail(asked, error)
        else:
            for key, future in asked.items():
                future.set_result(found.get(key))


def _fail(asked: Mapping[str, asyncio.Future[V | None]], error: Exception) -> None:
    for future in asked.values():
        future.set_exception(error)
        future.exception()  # Also if all who waited have given up.
