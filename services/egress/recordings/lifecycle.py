"""How recordings start, follow their egresses to the stored file, and are retried."""

from services.egress.egresses.domain import PlannedEgress
from services.egress.egresses.service import EgressService
from services.egress.recordings.domain import Recording, new_recording
from services.egress.recordings.repository import RecordingRepository
from shared.clock import Clock
from shared.contracts.states import SessionState
from shared.egress.engine import Engine
from shared.egress.keys import id_of
from shared.errors import NotFound
from shared.files.storage import Storage
from shared.persistence.mongo import Duplicate


class RecordingLifecycle:
    """At most one recording of a session runs; the storage alone decides whether one has a file."""

    def __init__(
        self,
        recordings: RecordingRepository,
        egresses: EgressService,
        engine: Engine,
        storage: Storage,
        clock: Clock,
    ):
        self._recordings = recordings
        self._egresses = egresses
        self._engine = engine
        self._storage = storage
        self._clock = clock

    async def start(self, id: str, session: SessionState) -> Recording | None:
        """A new recording, the same for every call with this id; None if the session is being recorded."""
        recording = new_recording(id, session, self._storage.kind, self._clock.now())
        try:
            await self._recordings.add(recording, recording.begun())
        except Duplicate:
            return await self._recordings.find(id)
        return recording

    async def reserve(self, key: str, session: SessionState) -> bool:
        """Start the recording that the egress `key` is to make; False if the session is being recorded."""
        return await self.start(id_of(key), session) is not None

    async def withdraw(self, key: str) -> None:
        """Remove a reserved recording whose egress is not planned after all."""
        await self._recordings.remove(id_of(key), Recording.withdraw)

    async def observe(self, egress: PlannedEgress) -> None:
        """Apply the state of an egress; when it is over, look for the stored file. Raises `Unavailable`."""
        if not egress.file:
            return
        try:
            if egress.over:
                await self._finish(egress)
            else:
                await self._recordings.change(
                    id_of(egress.id), lambda one: one.observe(egress, self._clock.now())
                )
        except NotFound:
            return  # It was withdrawn, or deleted since.

    async def _finish(self, egress: PlannedEgress) -> None:
        recording = await self._recordings.get(id_of(egress.id))
        stored = await self._storage.head(recording.file_key)
        size = stored.size if stored else None
        await self._recordings.change(recording.id, lambda one: one.finish(egress, size, self._clock.now()))

    async def retry(self, id: str) -> Recording:
        """Look for the file of a failed recording, and have it made again if there is none.

        Raises `Conflict` unless the recording has failed; it fails again if nothing can be done.
        """
        recording = await self._recordings.change(id, lambda one: one.retry(self._clock.now()))
        egress = await self._egresses.find(recording.key)
        if egress is not None and await self._storage.head(recording.file_key) is not None:
            await self._finish(egress)
        elif egress is not None and await self._engine.remake(recording.key):
            await self._egresses.reopen(recording.key)
        else:
            reason = "There is no file, and nothing is left to make it of"
            return await self._recordings.change(id, lambda one: one.fail(reason, self._clock.now()))
        return await self._recordings.get(id)
