"""Uploads segments from the spool into storage and database: the file first, then the record."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog
from prometheus_client import Counter, Gauge

from services.recorder.spool.spool import Spool, SpooledSegment
from shared.egress.segments import SegmentRepository
from shared.errors import NotFound, Unavailable
from shared.files.storage import StorageFull
from shared.runtime.backoff import Backoff

log = structlog.get_logger(__name__)

UPLOADED = Counter("greenroom_recorder_segments_total", "Segments that storage and database have")
WAITING = Gauge("greenroom_recorder_segments_waiting", "Segments on the recorder's own disk")

_BACKOFF = Backoff(0.2, 5.0)


class FileStorage(Protocol):
    """The part of `Storage` that is used."""

    async def put(self, key: str, content: bytes | Path) -> None: ...


class Uploader:
    """Uploads one segment after the other, for as long as it takes: nothing that is spooled is lost.

    `on_full` is called with the job's key when the storage is full.
    """

    def __init__(self, spool: Spool, storage: FileStorage, segments: SegmentRepository):
        self.on_full: Callable[[str], None] = lambda _: None
        self.spool = spool
        self._storage = storage
        self._segments = segments
        self._queue: deque[SpooledSegment] = deque()
        self._limits: dict[str, datetime] = {}
        self._changed = asyncio.Event()

    def add(self, spooled: SpooledSegment) -> None:
        self._queue.append(spooled)
        self._wake()

    def limit(self, key: str, after: datetime) -> None:
        """No longer record segments of the job that began later than `after`: they are another recorder's."""
        self._limits[key] = after

    def unlimit(self, key: str) -> None:
        self._limits.pop(key, None)

    async def drop(self, key: str, *, after: datetime | None = None) -> None:
        """Drop the waiting segments of a job: all, or those that began later than `after`."""
        dropped = [one for one in self._queue if one.segment.key == key and _later(one, after)]
        self._queue = deque(one for one in self._queue if one not in dropped)
        self._wake()
        for spooled in dropped:
            log.warning("segment.dropped", segment=spooled.segment.id)
            await asyncio.to_thread(self.spool.remove, spooled)

    async def done(self, key: str) -> None:
        """Wait until no segment of the job is waiting."""
        while any(one.segment.key == key for one in self._queue):
            await self._changed.wait()

    async def run(self) -> None:
        while True:
            while not self._queue:
                await self._changed.wait()
            spooled = self._queue[0]
            await _BACKOFF.until(partial(self._stored, spooled))
            with suppress(ValueError):  # it may have been dropped meanwhile
                self._queue.remove(spooled)
            self._wake()

    def _wake(self) -> None:
        """Wake what waits for a change of the queue."""
        WAITING.set(len(self._queue))
        self._changed.set()
        self._changed = asyncio.Event()

    def _is_ours(self, spooled: SpooledSegment) -> bool:
        """Whether it was neither dropped meanwhile nor lies beyond the limit."""
        limit = self._limits.get(spooled.segment.key)
        return spooled in self._queue and not (limit is not None and _later(spooled, limit))

    async def _stored(self, spooled: SpooledSegment) -> bool:
        """Whether nothing is left to do, also because the segment was dropped."""
        segment = spooled.segment
        if spooled not in self._queue:
            return True
        try:
            await self._storage.put(segment.path, spooled.file)
            if self._is_ours(spooled):
                await self._segments.add_many([segment])
        except StorageFull as error:
            log.warning("segment.storage_full", segment=segment.id, error=error.message)
            self.on_full(segment.key)
            return False
        except Unavailable as error:
            log.warning("segment.not_stored", segment=segment.id, error=error.message)
            return False
        except (NotFound, FileNotFoundError):
            log.warning("segment.gone", segment=segment.id)
            return True
        await asyncio.to_thread(self.spool.remove, spooled)
        UPLOADED.inc()
        return True


def _later(spooled: SpooledSegment, moment: datetime | None) -> bool:
    return moment is None or spooled.segment.starts_at > moment
