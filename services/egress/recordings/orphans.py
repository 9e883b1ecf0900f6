"""Orphans in the storage: recordings without a file, files without a recording."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from services.egress.recordings.repository import BATCH, RecordingRepository
from shared.clock import Clock
from shared.egress.keys import id_of, key_in
from shared.egress.problems import EgressProblem
from shared.errors import NotFound
from shared.files.storage import Storage, Stored
from shared.runtime.metrics import LabelledCounter

log = structlog.get_logger(__name__)

ORPHANS = LabelledCounter(
    "greenroom_recording_strays", "Rows without file, files without row", "kind", ("row", "file")
)

# A file may be stored some time before or after its row is written.
_FILE_GRACE = timedelta(hours=1)


@dataclass
class SweepResult:
    """How many rows had no file, and files no row; bytes freed."""

    rows: int = 0
    files: int = 0
    freed: int = 0


class StorageOrphans:
    def __init__(self, recordings: RecordingRepository, storage: Storage, clock: Clock):
        self._recordings = recordings
        self._storage = storage
        self._clock = clock

    async def sweep(self) -> SweepResult:
        """Look through all rows and all files once."""
        swept = SweepResult()
        await self._rows_without_file(swept)
        await self._files_without_row(swept)
        if swept.rows or swept.files:
            log.warning("storage.swept", rows=swept.rows, files=swept.files, freed=swept.freed)
        return swept

    async def _rows_without_file(self, swept: SweepResult) -> None:
        async for recording in self._recordings.stored():
            if await self._storage.head(recording.file_key) is None:
                swept.rows += 1
                ORPHANS.counts["row"] += 1
                await self._fail(recording.id)

    async def _fail(self, id: str) -> None:
        try:
            await self._recordings.change(
                id, lambda one: one.fail(EgressProblem.FILE_GONE, self._clock.now())
            )
        except NotFound:
            return  # It was deleted meanwhile, the file first.

    async def _files_without_row(self, swept: SweepResult) -> None:
        old = self._clock.now() - _FILE_GRACE
        batch: list[Stored] = []
        async for stored in self._storage.list("recordings"):
            if stored.modified < old:
                batch.append(stored)
            if len(batch) >= BATCH:
                await self._delete_unknown(batch, swept)
                batch = []
        await self._delete_unknown(batch, swept)

    async def _delete_unknown(self, batch: Sequence[Stored], swept: SweepResult) -> None:
        ids = {stored.key: id_of(key) for stored in batch if (key := key_in([stored.key]))}
        known = await self._recordings.find_many(list(set(ids.values())))
        unknown = [stored for stored in batch if stored.key in ids and ids[stored.key] not in known]
        await self._storage.delete([stored.key for stored in unknown])
        swept.files += len(unknown)
        swept.freed += sum(stored.size for stored in unknown)
        ORPHANS.counts["file"] += len(unknown)
