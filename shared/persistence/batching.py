"""Concurrent reads by key go together in few queries, concurrent inserts in few bulk writes.

A query or a journalled write costs a driver and a database nearly the same for one document as for many (the
local database does some 1,000 writes/s), so a burst costs a few of them, and a lone call waits for nobody.

A query or write is for everybody who waits for it, and runs in the context of nobody: what traces show of it
is the waiting of each.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from shared.errors import Unavailable
from shared.persistence.collection import Document, database_step

V = TypeVar("V")

_AT_ONCE = 2
# Any database answers so many at no more than the cost of a few; SecantusDB's cost is the square of it.
_LARGEST_READ = 50


class ReadBatcher(Generic[V]):
    """Reads by key: what is asked for while queries are under way is the next query.

    `fetch` takes keys and returns what exists of them. A read only ever joins a query that is not sent yet,
    so nobody gets a value from before they asked. It may be given to others too, and is not to be changed.
    """

    def __init__(self, fetch: Callable[[Sequence[str]], Awaitable[Mapping[str, V]]], collection: str):
        """`collection` is what is read, as traces name it."""
        self._fetch = fetch
        self._collection = collection
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
        with database_step("find", self._collection):
            # Shielded: whoever gives up must not take it from others who ask for the same.
            found = await asyncio.gather(*(asyncio.shield(future) for future in asked.values()))
        return {key: value for key, value in zip(asked, found, strict=True) if value is not None}

    def _send(self) -> None:
        while self._waiting and len(self._queries) < _AT_ONCE:
            keys = list(islice(self._waiting, _LARGEST_READ))
            asked = {key: self._waiting.pop(key) for key in keys}
            query = asyncio.create_task(self._query(asked), context=Context())
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
            _fail(asked.values(), Unavailable("The read was cancelled"))
            raise
        except Exception as error:  # handed to those who wait
            _fail(asked.values(), error)
        else:
            for key, future in asked.items():
                future.set_result(found.get(key))


# Stores the documents; returns the positions of those refused as duplicates.
Write = Callable[[Sequence[Document]], Awaitable[frozenset[int]]]

_LARGEST_WRITE = 500


@dataclass(frozen=True)
class _Waiting:
    document: Document
    stored: asyncio.Future[bool]


class WriteBatcher:
    """Inserts: what arrives while one bulk write is in flight is the next."""

    def __init__(self, write: Write, collection: str, *, largest: int = _LARGEST_WRITE):
        """`collection` is where to, as traces name it."""
        self._write = write
        self._collection = collection
        self._largest = largest
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def add(self, document: Document) -> bool:
        """Store the document; False if it is a duplicate. Raises what its bulk write raised."""
        waiting = _Waiting(document, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(), name="write batcher", context=Context())
        with database_step("insert", self._collection):
            return await waiting.stored

    async def _write_all(self) -> None:
        """Write until nobody waits. It never fails by itself: whoever waits gets the error."""
        try:
            while self._waiting:
                taken = self._waiting[: self._largest]
                del self._waiting[: self._largest]
                # Whoever gave up has reported that; nobody would know that it was stored so late.
                await self._write_batch([waiting for waiting in taken if not waiting.stored.done()])
        finally:
            self._writer = None
            _fail([waiting.stored for waiting in self._waiting], Unavailable("The write was cancelled"))
            self._waiting.clear()

    async def _write_batch(self, batch: Sequence[_Waiting]) -> None:
        if not batch:
            return
        try:
            duplicates = await self._write([waiting.document for waiting in batch])
        except asyncio.CancelledError:
            # Asked for or let escape by the driver: the outcome is not known.
            _fail([waiting.stored for waiting in batch], Unavailable("The write was cancelled"))
            raise
        except Exception as error:  # handed to those who wait
            _fail([waiting.stored for waiting in batch], error)
        else:
            for position, waiting in enumerate(batch):
                if not waiting.stored.done():
                    waiting.stored.set_result(position not in duplicates)


def _fail(futures: Iterable[asyncio.Future[Any]], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
            future.exception()  # Even if all waiters were cancelled.
