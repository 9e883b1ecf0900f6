"""Starting recordings: by hand, or with the stream."""

from services.egress.recordings.domain import Recording, new_recording
from services.egress.recordings.repository import RecordingRepository
from shared.clock import Clock
from shared.contracts.states import SessionState
from shared.egress.keys import id_of
from shared.persistence.mongo import Duplicate


class RecordingStarter:
    """At most one recording of a session runs; `storage_type` is recorded with it."""

    def __init__(self, recordings: RecordingRepository, clock: Clock, *, storage_type: str):
        self._recordings = recordings
        self._clock = clock
        self._storage_type = storage_type

    async def start(self, id: str, session: SessionState) -> Recording | None:  # noqa: A002
        """A new recording, the same for every call with this id; None if the session is being recorded."""
        recording = new_recording(id, session, self._storage_type, self._clock.now())
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
