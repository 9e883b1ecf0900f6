"""Another try for a recording that has failed."""

from collections.abc import Awaitable, Callable, Sequence

from services.egress.egresses.service import EgressService
from services.egress.recordings.domain import Recording
from services.egress.recordings.egress_observer import EgressObserver
from services.egress.recordings.repository import RecordingRepository
from shared.clock import Clock
from shared.contracts.event import Event
from shared.files.storage import Storage

# Has the engine make the file of an egress once more; False where it cannot, or has nothing left of it.
Remake = Callable[[str], Awaitable[bool]]


class RecordingRetry:
    def __init__(
        self,
        recordings: RecordingRepository,
        egresses: EgressService,
        observer: EgressObserver,
        storage: Storage,
        remake: Remake,
        clock: Clock,
    ):
        self._recordings = recordings
        self._egresses = egresses
        self._observer = observer
        self._storage = storage
        self._remake = remake
        self._clock = clock

    async def retry(self, id: str) -> Recording:  # noqa: A002
        """Look for the file, and have it made again where there is none.

        Raises `Conflict` unless the recording has failed; it has failed again where nothing can be done.
        """
        recording = await self._recordings.change(id, lambda one: one.retry(self._clock.now()))
        egress = await self._egresses.find(recording.key)
        stored = await self._storage.head(recording.file_key)
        if egress is not None and stored is not None:
            await self._observer.finish(egress)
        elif egress is not None and await self._remake(recording.key):
            await self._egresses.reopen(recording.key)
        else:
            return await self._recordings.change(id, self._fail)
        return await self._recordings.get(id)

    def _fail(self, recording: Recording) -> Sequence[Event]:
        return recording.fail("There is no file, and nothing is left to make it of", self._clock.now())
