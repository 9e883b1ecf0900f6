"""The Recordings group, and what administrators do with the storage."""

from datetime import timedelta
from typing import Final

from aiohttp import web

from services.egress.recordings.files import RecordingFiles
from services.egress.recordings.housekeeping import Housekeeping
from services.egress.recordings.lifecycle import RecordingLifecycle
from services.egress.recordings.schemas import (
    CleanupRequest,
    CleanupResponse,
    DownloadQuery,
    FileQuery,
    MyRecordingsQuery,
    MyRecordingsResponse,
    RecordingDownloadResponse,
    RecordingListResponse,
    RecordingResponse,
    StorageStatusResponse,
    UpdateRecordingRequest,
    my_recordings,
    recording_list,
    recording_response,
)
from services.egress.recordings.service import RecordingService
from shared.http import ADMIN, HOST, PUBLIC, READ, WRITE, Reply, Request, Routes, ok
from shared.http.files import attachment, send_file
from shared.http.schema import Page

RECORDINGS: Final = web.AppKey("recordings", RecordingService)
RECORDING_FILES: Final = web.AppKey("recording_files", RecordingFiles)
RECORDING_LIFECYCLE: Final = web.AppKey("recording_lifecycle", RecordingLifecycle)
HOUSEKEEPING: Final = web.AppKey("housekeeping", Housekeeping)

routes = Routes("Recordings")
admin_routes = Routes("Administration")


@routes.get("/recordings/my", access=HOST, scope=READ)
async def list_my_recordings(request: Request, query: MyRecordingsQuery) -> Reply[MyRecordingsResponse]:
    """Get my recordings.

    Those of the caller's own sessions, newest first, by page or from a cursor: `next_cursor` of the page
    before; for an API key those of its organization.
    """
    service, files = request.service(RECORDINGS), request.service(RECORDING_FILES)
    # One more than asked for tells whether more follow.
    found, total = await service.list_mine(
        request.caller, query.filter(), own=query.own, skip=query.skip, limit=query.limit + 1
    )
    return Reply(my_recordings(found, total, query, files))


@routes.get("/recordings/{id}", access=HOST, scope=READ)
async def get_recording(request: Request) -> Reply[RecordingResponse]:
    """Get recording by ID."""
    return Reply(recording_response(await request.service(RECORDINGS).get(request.path_id(), request.caller)))


@routes.patch("/recordings/{id}", access=HOST, scope=WRITE)
async def update_recording(request: Request, body: UpdateRecordingRequest) -> Reply[RecordingResponse]:
    """Update recording metadata."""
    service = request.service(RECORDINGS)
    return Reply(recording_response(await service.rename(request.path_id(), body.name, request.caller)))


@routes.delete("/recordings/{id}", access=HOST, scope=WRITE)
async def delete_recording(request: Request) -> Reply[None]:
    """Delete a recording.

    With its file. Refused with 409 while it runs; 503 if the storage is unavailable: try again.
    """
    await request.service(RECORDINGS).delete(request.path_id(), request.caller)
    return ok()


@routes.get("/recordings/{id}/download", access=HOST, scope=READ, conflicts=True)
async def get_recording_download(request: Request, query: DownloadQuery) -> Reply[RecordingDownloadResponse]:
    """Get recording download URL.

    The URL needs no credentials and is valid for an hour, or for `seconds`. 409 while there is no file.
    """
    lifetime = timedelta(seconds=query.seconds)
    link = await request.service(RECORDINGS).link(request.path_id(), request.caller, lifetime)
    return Reply(RecordingDownloadResponse(download_url=link.url, expires_at=link.expires_at))


@routes.get("/recordings/{id}/file", access=PUBLIC, scope=READ)
async def get_recording_file(request: Request, query: FileQuery) -> web.StreamResponse:
    """Serve recording file.

    An MP4 without an envelope; supports ranges (206, 416) and conditional requests (304).
    """
    files = request.service(RECORDING_FILES)
    recording = await files.linked(request.path_id(), query.token)
    headers = {
        "Content-Disposition": attachment(recording.file_name),
        "Cache-Control": "private, no-cache",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return await send_file(
        request.raw, files.storage, recording.file_key, content_type="video/mp4", headers=headers
    )


@routes.get("/sessions/{id}/recordings", access=HOST, scope=READ)
async def list_session_recordings(request: Request, query: Page) -> Reply[RecordingListResponse]:
    """Get recordings for a session."""
    service = request.service(RECORDINGS)
    return Reply(recording_list(*await service.list_of_session(request.path_id(), request.caller, query)))


@routes.get("/sessions/{id}/recordings/active", access=HOST, scope=READ)
async def get_active_recording(request: Request) -> Reply[RecordingResponse | None]:
    """Get active recording for a session.

    `data` is null if none is active.
    """
    recording = await request.service(RECORDINGS).active(request.path_id(), request.caller)
    return Reply(recording_response(recording) if recording else None)


@routes.post("/sessions/{id}/recordings/start", access=HOST, scope=WRITE, status=201, idempotent=True)
async def start_recording(request: Request) -> Reply[RecordingResponse]:
    """Start recording a session.

    The session must be live; 409 if it is being recorded already.
    """
    service = request.service(RECORDINGS)
    recording = await service.start(request.reservation, request.path_id(), request.caller)
    return Reply(recording_response(recording))


@routes.post("/sessions/{id}/recordings/stop", access=HOST, scope=WRITE)
async def stop_recording(request: Request) -> Reply[RecordingResponse]:
    """Stop recording a session.

    The recording is `completed` once its file is stored. A running stream continues.
    """
    service = request.service(RECORDINGS)
    return Reply(recording_response(await service.stop(request.path_id(), request.caller)))


@admin_routes.get("/admin/storage/status", access=ADMIN, scope=READ)
async def get_storage_status(request: Request) -> Reply[StorageStatusResponse]:
    """Get storage status."""
    status = await request.service(HOUSEKEEPING).status()
    return Reply(StorageStatusResponse.of(status))


@admin_routes.post("/admin/storage/cleanup", access=ADMIN, scope=WRITE)
async def clean_storage(request: Request, body: CleanupRequest) -> Reply[CleanupResponse]:
    """Trigger storage cleanup.

    Deletes recordings older than `older_than_days`; without it, those beyond the configured age or quota.
    `dry_run` only lists what would be deleted.
    """
    result = await request.service(HOUSEKEEPING).clean(body.older_than_days, dry_run=body.dry_run)
    return Reply(CleanupResponse.of(result))


@admin_routes.post("/admin/recordings/{id}/retry", access=ADMIN, scope=WRITE)
async def retry_recording(request: Request) -> Reply[RecordingResponse]:
    """Retry a failed recording.

    Looks for its file; if there is none, makes it again from the stored segments. 409 unless it has failed.
    """
    return Reply(recording_response(await request.service(RECORDING_LIFECYCLE).retry(request.path_id())))
