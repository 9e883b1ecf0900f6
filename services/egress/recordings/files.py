"""The stored files of recordings: linked to, found for a link, and deleted."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.egress.egresses.service import EgressService
from services.egress.recordings.domain import Recording
from services.egress.recordings.repository import RecordingRepository
from shared.clock import Clock
from shared.egress.keys import poster_key, private_prefix
from shared.egress.segments import SegmentRepository
from shared.errors import Conflict, NotFound
from shared.files.paths import PathSigner
from shared.files.storage import Storage

# What the signatures of links are for.
FILE_LINKS = "recordings"


@dataclass(frozen=True)
class DownloadLink:
    url: str
    expires_at: datetime


class RecordingFiles:
    """`public_url` is what links begin with."""

    def __init__(
        self,
        recordings: RecordingRepository,
        egresses: EgressService,
        segments: SegmentRepository,
        storage: Storage,
        links: PathSigner,
        clock: Clock,
        *,
        public_url: str,
    ):
        self.storage = storage
        self._recordings = recordings
        self._egresses = egresses
        self._segments = segments
        self._links = links
        self._clock = clock
        self._public_url = public_url.rstrip("/")

    def link(self, recording: Recording, lifetime: timedelta) -> DownloadLink:
        """A link to the file that needs no credentials. Raises `Conflict` without a file."""
        if not recording.completed:
            raise Conflict(f"The recording is {recording.status.value}", code="recording_not_completed")
        expires_at = self._clock.now() + lifetime
        token = self._links.sign(recording.id, expires_at)
        return DownloadLink(f"{self._public_url}/recordings/{recording.id}/file?token={token}", expires_at)

    async def linked(self, id: str, token: str) -> Recording:
        """The completed recording that a link belongs to. Raises `Forbidden`, `NotFound`."""
        self._links.verify(token, id)
        recording = await self._recordings.get(id)
        if not recording.completed:
            raise NotFound("The recording has no file", code="file_not_found")
        return recording

    async def erase(self, recording: Recording) -> None:
        """Delete first the files, then the row: a deletion that failed halfway can be tried again.

        Raises `Conflict` while it runs, `Unavailable`.
        """
        recording.check_deletable()
        await self._erase_segments(recording)
        await self.storage.delete([poster_key(recording.file_key), recording.file_key])
        await self._recordings.remove(recording.id, Recording.delete)

    async def _erase_segments(self, recording: Recording) -> None:
        """A failed recording keeps its segments for another attempt."""
        await self.storage.delete_folder(private_prefix(recording.session_id, recording.key))
        egress = await self._egresses.find(recording.key)
        if egress is None or not egress.stream:
            await self._segments.delete_of(recording.key)
