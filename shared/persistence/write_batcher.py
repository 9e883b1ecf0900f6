"""Single inserts gathered into bulk writes: what arrives while one write is in flight is the next.

A journaled write costs about the same for one document as for many (some 1,000 writes/s on the local
database), so a burst costs a few writes and a lone insert waits for nobody.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from shared.errors import Unavailable
from shared.persistence.mongo import Document

# Stores the documents; returns the positions of those refused as duplicates.
Write = Callable[[Sequence[Document]], Awaitable[frozenset[int]]]

_LARGEST = 500


@dataclass(frozen=True)
class _Waiting:
    document: Document
    stored: asyncio.Future[bool]


class WriteBatcher:
    def __init__(self, write: Write, *, largest: int = _LARGEST):
        self._write = write
        self._largest = largest
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def add(self, document: Document) -> bool:
        """Store the document; False if it is a duplicate. Raises what its bulk write raised."""
        waiting = _Waiting(document, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(), name="write batcher")
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
            _fail(self._waiting, Unavailable("The write was cancelled"))
            self._waiting.clear()

    async def _write_batch(self, batch: Sequence[_Waiting]) -> None:
        if not batch:
            return
        try:
            duplicates = await self._write([waiting.document for waiting in batch])
        except asyncio.CancelledError:
            # Asked for or let escape by the driver: the outcome is not known.
            _fail(batch, Unavailable("The write was cancelled"))
            raise
        except Exception as error:  # handed to those who wait
            _fail(batch, error)
        else:
            for position, waiting in enumerate(batch):
                if not waiting.stored.done():
                    waiting.stored.set_result(position not in duplicates)


def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.stored.done():
            waiting.stored.set_exception(error)
