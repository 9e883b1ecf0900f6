"""Retention of recordings: what the storage holds, and what is deleted when."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter

from services.egress.recordings.domain import Recording
from services.egress.recordings.files import RecordingFiles
from services.egress.recordings.orphans import StorageOrphans
from services.egress.recordings.repository import RecordingRepository
from shared.clock import Clock
from shared.errors import AppError

log = structlog.get_logger(__name__)

CLEANED = Counter("greenroom_recordings_cleaned_total", "Recordings deleted by a cleanup")

_PERIOD = 60.0
_SWEPT_EVERY = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class RetentionLimits:
    """How long recordings are kept and how many bytes of them; None for no limit."""

    days: int | None
    bytes: int | None


@dataclass(frozen=True, kw_only=True)
class StorageStatus:
    """In bytes; None if the storage does not report it."""

    storage_type: str
    total_bytes: int | None
    used_bytes: int | None
    free_bytes: int | None
    recording_count: int
    reclaimable_bytes: int


@dataclass(frozen=True, kw_only=True)
class CleanupResult:
    deleted_recordings: int
    freed_bytes: int
    dry_run: bool


class Housekeeping:
    def __init__(
        self,
        recordings: RecordingRepository,
        files: RecordingFiles,
        orphans: StorageOrphans,
        clock: Clock,
        *,
        limits: RetentionLimits,
    ):
        self._recordings = recordings
        self._files = files
        self._orphans = orphans
        self._clock = clock
        self._limits = limits

    async def status(self) -> StorageStatus:
        space = await self._files.storage.space()
        reclaimable = sum([recording.file_size or 0 async for recording in self._due(None)])
        return StorageStatus(
            storage_type=self._files.storage.kind,
            total_bytes=space.total,
            used_bytes=space.used,
            free_bytes=space.free,
            recording_count=await self._recordings.count_all(),
            reclaimable_bytes=reclaimable,
        )

    async def clean(self, older_than_days: int | None, *, dry_run: bool) -> CleanupResult:
        """Delete the recordings that are due; those that cannot be deleted now are left for the next time."""
        deleted, freed = 0, 0
        async for recording in self._due(older_than_days):
            if dry_run or await self._erased(recording):
                deleted += 1
                freed += recording.file_size or 0
        return CleanupResult(deleted_recordings=deleted, freed_bytes=freed, dry_run=dry_run)

    async def _erased(self, recording: Recording) -> bool:
        try:
            await self._files.erase(recording)
        except AppError as error:
            log.warning("recording.not_cleaned", recording=recording.id, code=error.code, error=error.message)
            return False
        CLEANED.inc()
        log.info("recording.cleaned", recording=recording.id, bytes=recording.file_size)
        return True

    async def _due(self, older_than_days: int | None) -> AsyncIterator[Recording]:
        """Those older than that; without it, those beyond the settings' limits: too old, or too much."""
        days = self._limits.days if older_than_days is None else older_than_days
        before = None if days is None else self._clock.now() - timedelta(days=days)
        excess = 0
        if older_than_days is None and self._limits.bytes is not None:
            held = sum([recording.file_size or 0 async for recording in self._recordings.stored()])
            excess = held - self._limits.bytes
        async for recording in self._recordings.stored():
            if excess <= 0 and (before is None or recording.created_at >= before):
                return
            excess -= recording.file_size or 0
            yield recording

    async def run(self) -> None:
        """Clean and sweep every hour, until cancelled; every minute while that fails."""
        swept: datetime | None = None
        while True:
            try:
                if swept is None or self._clock.now() - swept >= _SWEPT_EVERY:
                    await self.clean(None, dry_run=False)
                    await self._orphans.sweep()
                    swept = self._clock.now()
            except AppError as error:
                log.warning("housekeeping.failed", code=error.code, error=error.message)
            await asyncio.sleep(_PERIOD)
