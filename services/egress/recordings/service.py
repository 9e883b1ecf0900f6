"""What hosts do with recordings."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from services.egress.access.service import MediaAccess, owned_by
from services.egress.egresses.service import EgressService
from services.egress.recordings.domain import Recording
from services.egress.recordings.files import DownloadLink, RecordingFiles
from services.egress.recordings.lifecycle import RecordingLifecycle
from services.egress.recordings.repository import RecordingFilter, RecordingRepository
from shared.access.identity import Caller
from shared.clock import Clock
from shared.errors import Conflict, Forbidden, NotFound
from shared.http.idempotency import Reservation
from shared.http.schema import Page

# Has the stream of a session go on without the recording that its egress (the key) makes.
ReleaseFile = Callable[[str, str], Awaitable[None]]


class RecordingService:
    """`release_file(key, session_id)` is called before a recording is stopped that a stream makes."""

    def __init__(
        self,
        recordings: RecordingRepository,
        lifecycle: RecordingLifecycle,
        files: RecordingFiles,
        egresses: EgressService,
        access: MediaAccess,
        clock: Clock,
        *,
        release_file: ReleaseFile,
    ):
        self._recordings = recordings
        self._lifecycle = lifecycle
        self._files = files
        self._egresses = egresses
        self._access = access
        self._clock = clock
        self._release_file = release_file

    async def list_mine(
        self, caller: Caller, wanted: RecordingFilter, *, own: bool = False, skip: int, limit: int
    ) -> tuple[list[Recording], int]:
        """Some of those of the caller's sessions, and how many match; for an API key of its organization,
        unless its host's `own` are asked for."""
        owner = {"host_id": caller.user_id} if own else owned_by(caller)
        return await self._recordings.list_owned(owner, wanted, skip=skip, limit=limit)

    async def list_of_session(
        self, session_id: str, caller: Caller, page: Page
    ) -> tuple[list[Recording], int]:
        await self._access.get_for_host(session_id, caller)
        return await self._recordings.list_of_session(session_id, skip=page.skip, limit=page.limit)

    async def active(self, session_id: str, caller: Caller) -> Recording | None:
        await self._access.get_for_host(session_id, caller)
        return await self._recordings.active(session_id)

    async def get(self, id: str, caller: Caller) -> Recording:
        """For its host, and for an API key of its organization.

        Raises `NotFound` if it belongs to another organization, `Forbidden` for viewers and colleagues.
        """
        organization_id = caller.hosting_organization()
        recording = await self._recordings.find(id)
        if recording is None or recording.organization_id != organization_id:
            raise NotFound.of("recording")
        if caller.api_key_id is None and caller.user_id != recording.host_id:
            raise Forbidden("Only its host may do this", code="not_the_host")
        return recording

    async def start(self, reservation: Reservation, session_id: str, caller: Caller) -> Recording:
        """Record the session from now on. Raises `Conflict` unless it is live and not being recorded."""
        session = await self._access.get_for_host(session_id, caller)
        recording = await self._recordings.find(reservation.id) if reservation.repeated else None
        if recording is None:
            recording = await self._lifecycle.start(reservation.id, await self._access.check_live(session))
        if recording is None:
            raise Conflict("The session is being recorded", code="recording_active")
        await self._egresses.plan(recording.key, session_id, stream=False, file=True)
        return recording

    async def stop(self, session_id: str, caller: Caller) -> Recording:
        """End the recording; it is completed once its file is stored. A stream goes on."""
        await self._access.get_for_host(session_id, caller)
        recording = await self._recordings.active(session_id)
        if recording is None:
            raise Conflict("The session is not being recorded", code="recording_not_active")
        recording = await self._recordings.change(
            recording.id, lambda one: one.ask_to_stop(self._clock.now())
        )
        egress = await self._egresses.find(recording.key)
        if egress is not None and egress.stream and egress.wanted:
            await self._release_file(recording.key, session_id)
        await self._egresses.stop(recording.key)
        return recording

    async def rename(self, id: str, name: str, caller: Caller) -> Recording:
        await self.get(id, caller)
        return await self._recordings.change(id, lambda one: one.rename(name, self._clock.now()))

    async def delete(self, id: str, caller: Caller) -> None:
        """Delete the recording and its files. Raises `Conflict` while it runs, `Unavailable`."""
        await self._files.erase(await self.get(id, caller))

    async def link(self, id: str, caller: Caller, lifetime: timedelta) -> DownloadLink:
        """A link to the file that needs no credentials. Raises `Conflict` without a file."""
        return self._files.link(await self.get(id, caller), lifetime)
