"""What hosts do with recordings."""

from datetime import timedelta
from typing import Final

from aiohttp import web

from services.egress.access.service import SessionAccess, require_host
from services.egress.egresses.service import EgressService
from services.egress.recordings.domain import Recording, new_recording
from services.egress.recordings.repository import RecordingRepository
from services.egress.recordings.schemas import (
    RecordingDownloadResponse,
    RecordingListResponse,
    RecordingResponse,
    recording_response,
)
from services.egress.streams.service import StreamService
from shared.access.identity import Caller
from shared.clock import Clock
from shared.contracts.states import SessionState
from shared.egress.keys import poster_key, private_prefix
from shared.egress.segment_repository import SegmentRepository
from shared.errors import Conflict, NotFound
from shared.files.signed_paths import PathSigner
from shared.files.storage import Storage
from shared.http.files import attachment, send_file
from shared.http.idempotency import Reservation
from shared.http.schema import Page
from shared.persistence.mongo import Duplicate

LINK_LIFETIME = timedelta(hours=1)


class RecordingService:
    def __init__(
        self,
        recordings: RecordingRepository,
        egresses: EgressService,
        streams: StreamService,
        segments: SegmentRepository,
        access: SessionAccess,
        storage: Storage,
        links: PathSigner,
        clock: Clock,
        *,
        public_url: str,
    ):
        self._recordings = recordings
        self._egresses = egresses
        self._streams = streams
        self._segments = segments
        self._access = access
        self._storage = storage
        self._links = links
        self._clock = clock
        self._public_url = public_url.rstrip("/")

    async def list_mine(self, caller: Caller, page: Page) -> RecordingListResponse:
        """Those of the caller's sessions; for an API key those of its organization."""
        organization_id = caller.hosting_organization()
        if caller.api_key_id is not None:
            found, total = await self._recordings.list_of_organization(
                organization_id, skip=page.skip, limit=page.limit
            )
        else:
            found, total = await self._recordings.list_of_host(
                caller.user_id, skip=page.skip, limit=page.limit
            )
        return _list(found, total)

    async def list_of_session(self, session_id: str, caller: Caller, page: Page) -> RecordingListResponse:
        await self._access.hosted(session_id, caller)
        return _list(*await self._recordings.list_of_session(session_id, skip=page.skip, limit=page.limit))

    async def active(self, session_id: str, caller: Caller) -> RecordingResponse | None:
        await self._access.hosted(session_id, caller)
        recording = await self._recordings.active(session_id)
        return recording_response(recording) if recording else None

    async def get(self, id: str, caller: Caller) -> RecordingResponse:  # noqa: A002
        return recording_response(await self._owned(id, caller))

    async def _owned(self, id: str, caller: Caller) -> Recording:  # noqa: A002
        recording = await self._recordings.get(id)
        require_host(recording, caller)
        return recording

    async def start(self, reservation: Reservation, session_id: str, caller: Caller) -> RecordingResponse:
        """Record the session from now on. Raises `Conflict` unless it is live and not being recorded."""
        session = await self._access.hosted(session_id, caller)
        recording = await self._recordings.find(reservation.id) if reservation.repeated else None
        if recording is None:
            recording = await self._begin(reservation.id, await self._access.live(session))
        await self._egresses.plan(recording.key, session_id, stream=False, file=True)
        return recording_response(recording)

    async def _begin(self, id: str, session: SessionState) -> Recording:  # noqa: A002
        recording = new_recording(id, session, self._storage.kind, self._clock.now())
        try:
            await self._recordings.add(recording, recording.begun())
        except Duplicate:
            existing = await self._recordings.find(id)
            if existing is None:
                raise Conflict("The session is being recorded", code="recording_active") from None
            return existing
        return recording

    async def stop(self, session_id: str, caller: Caller) -> RecordingResponse:
        """End the recording; it is completed once its file is stored. A stream goes on."""
        await self._access.hosted(session_id, caller)
        recording = await self._recordings.active(session_id)
        if recording is None:
            raise Conflict("The session is not being recorded", code="recording_not_active")
        recording = await self._recordings.change(
            recording.id, lambda one: one.ask_to_stop(self._clock.now())
        )
        egress = await self._egresses.find(recording.key)
        if egress is not None and egress.stream and egress.wanted:
            await self._streams.release_file(recording.key, session_id)
        await self._egresses.stop(recording.key)
        return recording_response(recording)

    async def rename(self, id: str, name: str, caller: Caller) -> RecordingResponse:  # noqa: A002
        await self._owned(id, caller)
        return recording_response(
            await self._recordings.change(id, lambda one: one.rename(name, self._clock.now()))
        )

    async def delete(self, id: str, caller: Caller) -> None:  # noqa: A002
        """Delete the recording and its files. Raises `Conflict` while it runs, `Unavailable`."""
        await self.erase(await self._owned(id, caller))

    async def erase(self, recording: Recording) -> None:
        """First the files, then the row: what failed on the way can be tried again."""
        recording.check_deletable()
        await self._erase_left(recording)
        await self._storage.delete([poster_key(recording.file_key), recording.file_key])
        await self._recordings.remove(recording.id, Recording.delete)

    async def _erase_left(self, recording: Recording) -> None:
        """Of one that failed segments are left, for another try."""
        left = private_prefix(recording.session_id, recording.key)
        await self._storage.delete([stored.key async for stored in self._storage.list(left)])
        egress = await self._egresses.find(recording.key)
        if egress is None or not egress.stream:
            await self._segments.delete_of(recording.key)

    async def download(self, id: str, caller: Caller) -> RecordingDownloadResponse:  # noqa: A002
        """A link to the file that needs no credentials, for an hour. Raises `Conflict` without a file."""
        recording = await self._owned(id, caller)
        if not recording.completed:
            raise Conflict(f"The recording is {recording.status.value}", code="recording_not_completed")
        expires_at = self._clock.now() + LINK_LIFETIME
        token = self._links.sign(recording.id, expires_at)
        url = f"{self._public_url}/recordings/{recording.id}/file?token={token}"
        return RecordingDownloadResponse(download_url=url, expires_at=expires_at)

    async def send(self, request: web.BaseRequest, id: str, token: str) -> web.StreamResponse:  # noqa: A002
        """The file itself, to whoever has a valid link. Raises `Forbidden`, `NotFound`."""
        self._links.verify(token, id)
        recording = await self._recordings.get(id)
        if not recording.completed:
            raise NotFound("The recording has no file", code="file_not_found")
        headers = {
            "Content-Disposition": attachment(recording.file_name),
            "Cache-Control": "private, no-cache",
        }
        return await send_file(
            request, self._storage, recording.file_key, content_type="video/mp4", headers=headers
        )


def _list(found: list[Recording], total: int) -> RecordingListResponse:
    return RecordingListResponse(recordings=[recording_response(one) for one in found], total=total)


RECORDINGS: Final = web.AppKey("recordings", RecordingService)
