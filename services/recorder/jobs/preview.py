"""The latest picture of a stream, kept in the storage while it runs."""

import asyncio
import time

import structlog

from services.recorder.media.mp4 import poster
from shared.egress.keys import PREVIEW_SECONDS
from shared.errors import AppError
from shared.files.storage import Storage

log = structlog.get_logger(__name__)


class Preview:
    """Stored under `key` as JPEG, renewed every few seconds with the first frame of a new segment."""

    def __init__(self, key: str, storage: Storage):
        self._key = key
        self._storage = storage
        self._renewed_at = -float(PREVIEW_SECONDS)
        self._storing: asyncio.Task[None] | None = None

    @property
    def is_due(self) -> bool:
        """Whether the next segment is to be `shown`."""
        return time.monotonic() - self._renewed_at >= PREVIEW_SECONDS

    def show(self, segment: bytes) -> None:
        """Renew it, unless the last one is still being stored. For the event loop."""
        if self._storing is None or self._storing.done():
            self._renewed_at = time.monotonic()
            self._storing = asyncio.create_task(self._store(segment), name="preview")

    async def stored(self) -> None:
        """Wait for a picture that is being stored."""
        if self._storing is not None:
            await self._storing

    async def _store(self, segment: bytes) -> None:
        """A stream goes on without: the next picture may be stored."""
        try:
            picture = await asyncio.to_thread(poster, segment)
            if picture is not None:
                await self._storage.put(self._key, picture)
        except (AppError, OSError, ValueError, EOFError) as error:
            log.warning("preview.not_stored", error=str(error))
