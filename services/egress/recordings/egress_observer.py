"""How recordings follow their egresses to the stored file."""

from services.egress.egresses.domain import PlannedEgress
from services.egress.recordings.repository import RecordingRepository
from shared.clock import Clock
from shared.egress.keys import id_of
from shared.errors import NotFound
from shared.files.storage import Storage


class EgressObserver:
    def __init__(self, recordings: RecordingRepository, storage: Storage, clock: Clock):
        self._recordings = recordings
        self._storage = storage
        self._clock = clock

    async def observe(self, egress: PlannedEgress) -> None:
        """Take over what is known of an egress; when it is over, what it has stored. Raises `Unavailable`."""
        if not egress.file:
            return
        try:
            if egress.over:
                await self.finish(egress)
            else:
                await self._recordings.change(
                    id_of(egress.id), lambda one: one.observe(egress, self._clock.now())
                )
        except NotFound:
            return  # It was withdrawn, or deleted since.

    async def finish(self, egress: PlannedEgress) -> None:
        """No row claims a file that is not there: the storage is asked, whatever the engine says."""
        recording = await self._recordings.get(id_of(egress.id))
        stored = await self._storage.head(recording.file_key)
        size = stored.size if stored else None
        await self._recordings.change(recording.id, lambda one: one.finish(egress, size, self._clock.now()))
