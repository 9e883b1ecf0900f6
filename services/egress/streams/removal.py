"""Deleting the stored files of streams: of deleted sessions, and of old ones."""

import asyncio

import structlog

from services.egress.egresses.service import EgressService
from services.egress.streams.domain import Stream
from services.egress.streams.repository import StreamRepository
from shared.clock import Clock
from shared.egress.segments import SegmentRepository
from shared.errors import AppError
from shared.files.storage import Storage

log = structlog.get_logger(__name__)

_PERIOD = 60.0
_AT_ONCE = 100


class StreamRemoval:
    def __init__(
        self,
        streams: StreamRepository,
        segments: SegmentRepository,
        egresses: EgressService,
        storage: Storage,
        clock: Clock,
    ):
        self._streams = streams
        self._segments = segments
        self._egresses = egresses
        self._storage = storage
        self._clock = clock

    async def run(self) -> None:
        """Remove every minute what is due, until cancelled."""
        while True:
            try:
                await self.remove_due()
            except AppError as error:
                log.warning("stream.not_removed", code=error.code, error=error.message)
            await asyncio.sleep(_PERIOD)

    async def remove_due(self) -> int:
        """Delete what is due; how many streams that were. Raises `Unavailable`: some may be left."""
        removed = 0
        for stream in await self._streams.due_for_removal(self._clock.now(), _AT_ONCE):
            if await self._all_over(stream):
                await self._remove(stream)
                removed += 1
        return removed

    async def _all_over(self, stream: Stream) -> bool:
        """What still runs still writes."""
        for part in stream.parts:
            egress = await self._egresses.find(part.key)
            if egress is not None and not egress.over:
                return False
        return True

    async def _remove(self, stream: Stream) -> None:
        """First the files, then the records of them."""
        await self._storage.delete_folder(f"hls/{stream.id}")
        for part in stream.parts:
            await self._segments.delete_of(part.key)
        await self._streams.change(stream.id, lambda one: one.clear(self._clock.now()))
        log.info("stream.removed", session_id=stream.id)
