"""How recordings start, follow their egresses to the stored file, and are retried."""

from prometheus_client import Histogram

from services.egress.egresses.domain import PlannedEgress
from services.egress.egresses.service import EgressService
from services.egress.recordings.domain import RecordedFile, Recording, new_recording
from services.egress.recordings.mp4 import Mp4Header
from services.egress.recordings.repository import RecordingRepository
from services.egress.sessions.projection import EgressSessionProjection
from shared.clock import Clock
from shared.contracts.states import RecordingStatus, SessionState
from shared.egress.engine import Engine
from shared.egress.keys import id_of
from shared.egress.problems import EgressProblem
from shared.errors import NotFound
from shared.files.storage import Storage
from shared.ids import new_id
from shared.persistence.mongo import Duplicate
from shared.runtime.metrics import LabelledCounter

FINISHED = LabelledCounter(
    "greenroom_recordings_finished",
    "Recordings that were completed, or failed",
    "status",
    (RecordingStatus.COMPLETED, RecordingStatus.FAILED),
)
TOOK = Histogram(
    "greenroom_recording_finish_seconds",
    "From the end of a recording to its stored file, or its failure",
    buckets=(1, 2, 5, 10, 30, 60, 120, 300, 1800),
)

# A recording of which so many parts broke off soon, one after the other, does not go on.
_MOST_ATTEMPTS = 5


class RecordingLifecycle:
    """At most one recording of a session runs; the storage alone decides whether one has a file."""

    def __init__(
        self,
        recordings: RecordingRepository,
        egresses: EgressService,
        sessions: EgressSessionProjection,
        engine: Engine,
        storage: Storage,
        clock: Clock,
    ):
        self._recordings = recordings
        self._egresses = egresses
        self._sessions = sessions
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

    async def go_on(self, broken: PlannedEgress) -> str | None:
        """The recording of an egress that broke off goes on with the egress of this key, once reserved.

        The same for every call; None if it was to end anyway, or the session is being recorded otherwise. Of
        a failed job our own recorders keep the segments: `retry` makes its file of them.
        """
        if broken.attempt >= _MOST_ATTEMPTS:
            return None
        now, lost = self._clock.now(), not self._engine.keeps_records
        try:
            before = await self._recordings.change(
                id_of(broken.id), lambda one: one.hand_over(new_id(), now, lost=lost)
            )
        except NotFound:
            return None  # It was deleted since.
        return await self._reserve_next(before, broken) if before.continued_by is not None else None

    async def _reserve_next(self, before: Recording, broken: PlannedEgress) -> str | None:
        """The key of the part that goes on; once that is planned, it may have been deleted as well."""
        now = self._clock.now()
        part = before.next_part(str(before.continued_by), broken.last_alive_at, now)
        if await self._egresses.find(part.key) is not None:
            return part.key
        try:
            await self._recordings.add(part, part.begun())
        except Duplicate:
            if await self._recordings.find(part.id) is None:
                await self._recordings.change(before.id, lambda one: one.end_here(now))
                return None
        return part.key

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
        if not recording.settled(egress):
            await self._settle(recording, egress)
        if egress.broke_off and not egress.stream:
            await self._go_on_alone(egress)

    async def _settle(self, recording: Recording, egress: PlannedEgress) -> None:
        file = await self._file(recording.file_key, egress)
        # LiveKit Egress's details say why it ended; those of our own recorders what is missing.
        missing = egress.details if self._engine.keeps_records else None
        now = self._clock.now()
        settled = await self._recordings.change(
            recording.id, lambda one: one.finish(egress, file, missing, now)
        )
        if settled.status is not recording.status:
            FINISHED.counts[settled.status] += 1
            TOOK.observe((now - (settled.finished_at or now)).total_seconds())

    async def _file(self, key: str, egress: PlannedEgress) -> RecordedFile | None:
        """The stored file; what a dead worker left without a header is none."""
        stored = await self._storage.head(key)
        if stored is None:
            return None
        seconds = await Mp4Header(self._storage, key, stored.size).seconds()
        return None if egress.presumed and seconds is None else RecordedFile(stored.size, seconds)

    async def _go_on_alone(self, broken: PlannedEgress) -> None:
        """A recording with an egress of its own; with a stream's, the stream goes on first."""
        session = await self._sessions.find(broken.session_id)
        key = await self.go_on(broken) if session is not None and session.live else None
        if key is not None:
            await self._egresses.plan(key, broken.session_id, stream=False, file=True, replaces=broken)

    async def retry(self, id: str) -> Recording:
        """Look for the file of a failed recording, and have it made again if there is none.

        Raises `Conflict` unless the recording has failed; it fails again if nothing can be done.
        """
        recording = await self._recordings.change(id, lambda one: one.retry(self._clock.now()))
        egress = await self._egresses.find(recording.key)
        if egress is not None and await self._storage.head(recording.file_key) is not None:
            await self._settle(recording, egress)
        elif egress is not None and await self._engine.remake(recording.key):
            await self._egresses.reopen(recording.key)
        else:
            return await self._recordings.change(
                id, lambda one: one.fail(EgressProblem.NOTHING_LEFT, self._clock.now())
            )
        return await self._recordings.get(id)
