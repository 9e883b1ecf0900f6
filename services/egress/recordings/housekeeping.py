"""The storage's keeping: what it holds, what is deleted when, and what does not fit together."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from aiohttp import web
from prometheus_client import Counter

from services.egress.recordings.domain import Recording
from services.egress.recordings.orphans import StorageOrphans
from services.egress.recordings.repository import BATCH, RecordingRepository
from services.egress.recordings.retrying import RecordingRetry
from services.egress.recordings.schemas import (
    CleanupResponse,
    RecordingResponse,
    StorageStatusResponse,
    recording_response,
)
from services.egress.recordings.service import RecordingService
from services.egress.streams.removal import StreamRemoval
from shared.clock import Clock
from shared.errors import AppError
from shared.files.storage import Storage

log = structlog.get_logger(__name__)

CLEANED = Counter("greenroom_recordings_cleaned_total", "Recordings deleted by a cleanup")

_PERIOD = 60.0
_SWEPT_EVERY = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class RetentionLimits:
    """How long recordings are kept and how many bytes of them; None for no limit."""

    days: int | None
    bytes: int | None


class Housekeeping:
    def __init__(
        self,
        recordings: RecordingRepository,
        service: RecordingService,
        orphans: StorageOrphans,
        retrying: RecordingRetry,
        removal: StreamRemoval,
        storage: Storage,
        clock: Clock,
        *,
        limits: RetentionLimits,
    ):
        self._recordings = recordings
        self._service = service
        self._orphans = orphans
        self._retrying = retrying
        self._removal = removal
        self._storage = storage
        self._clock = clock
        self._limits = limits

    async def status(self) -> StorageStatusResponse:
        space = await self._storage.space()
        reclaimable = sum([recording.file_size or 0 async for recording in self._due(None)])
        return StorageStatusResponse(
            storage_type=self._storage.kind,
            total_bytes=space.total,
            used_bytes=space.used,
            free_bytes=space.free,
            recording_count=await self._recordings.count_all(),
            reclaimable_bytes=reclaimable,
        )

    async def clean(self, older_than_days: int | None, *, dry_run: bool) -> CleanupResponse:
        """Delete what is due; what cannot be deleted now is left for the next time."""
        deleted, freed = 0, 0
        async for recording in self._due(older_than_days):
            if dry_run or await self._erased(recording):
                deleted += 1
                freed += recording.file_size or 0
        return CleanupResponse(deleted_recordings=deleted, freed_bytes=freed, dry_run=dry_run)

    async def _erased(self, recording: Recording) -> bool:
        try:
            await self._service.erase(recording)
        except AppError as error:
            log.warning("recording.not_cleaned", recording=recording.id, code=error.code, error=error.message)
            return False
        CLEANED.inc()
        log.info("recording.cleaned", recording=recording.id, bytes=recording.file_size)
        return True

    async def _due(self, older_than_days: int | None) -> AsyncIterator[Recording]:
        """What is older than that; by the settings also the oldest of what is too much."""
        days = self._limits.days if older_than_days is None else older_than_days
        before = None if days is None else self._clock.now() - timedelta(days=days)
        excess = 0
        if older_than_days is None and self._limits.bytes is not None:
            held = sum([recording.file_size or 0 async for recording in self._stored()])
            excess = held - self._limits.bytes
        async for recording in self._stored():
            if excess <= 0 and (before is None or recording.created_at >= before):
                return
            excess -= recording.file_size or 0
            yield recording

    async def _stored(self) -> AsyncIterator[Recording]:
        """All that have a file, the oldest first."""
        after = ""
        while True:
            found = await self._recordings.stored(after=after)
            for recording in found:
                yield recording
            if len(found) < BATCH:
                return
            after = found[-1].id

    async def retry(self, id: str) -> RecordingResponse:  # noqa: A002
        return recording_response(await self._retrying.retry(id))

    async def run(self) -> None:
        """Remove streams every minute, clean and sweep every hour, until cancelled."""
        swept: datetime | None = None
        while True:
            try:
                await self._removal.remove_due()
                if swept is None or self._clock.now() - swept >= _SWEPT_EVERY:
                    await self.clean(None, dry_run=False)
                    await self._orphans.sweep()
                    swept = self._clock.now()
            except AppError as error:
                log.warning("housekeeping.failed", code=error.code, error=error.message)
            await asyncio.sleep(_PERIOD)


HOUSEKEEPING: Final = web.AppKey("housekeeping", Housekeeping)
