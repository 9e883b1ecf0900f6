"""The Recordings group, and what administrators do with the storage."""

from aiohttp import web

from services.egress.recordings.housekeeping import HOUSEKEEPING
from services.egress.recordings.schemas import (
    CleanupRequest,
    CleanupResponse,
    FileQuery,
    RecordingDownloadResponse,
    RecordingListResponse,
    RecordingResponse,
    StorageStatusResponse,
    UpdateRecordingRequest,
)
from services.egress.recordings.service import RECORDINGS
from shared.http import ADMIN, HOST, PUBLIC, Reply, Request, Routes, ok
from shared.http.schema import Page

routes = Routes("Recordings")
admin_routes = Routes("Administration")


@routes.get("/recordings/my", access=HOST)
async def list_my_recordings(request: Request, query: Page) -> Reply[RecordingListResponse]:
    """Get my recordings.

    Those of the caller's own sessions, newest first; for an API key those of its organization.
    """
    return Reply(await request.service(RECORDINGS).list_mine(request.caller, query))


@routes.get("/recordings/{id}", access=HOST)
async def get_recording(request: Request) -> Reply[RecordingResponse]:
    """Get recording by ID."""
    return Reply(await request.service(RECORDINGS).get(request.path_id(), request.caller))


@routes.patch("/recordings/{id}", access=HOST)
async def update_recording(request: Request, body: UpdateRecordingRequest) -> Reply[RecordingResponse]:
    """Update recording metadata."""
    return Reply(await request.service(RECORDINGS).rename(request.path_id(), body.name, request.caller))


@routes.delete("/recordings/{id}", access=HOST)
async def delete_recording(request: Request) -> Reply[None]:
    """Delete a recording.

    With its file. Refused with 409 while it runs; 503 if the storage is unavailable: try again.
    """
    await request.service(RECORDINGS).delete(request.path_id(), request.caller)
    return ok()


@routes.get("/recordings/{id}/download", access=HOST, conflicts=True)
async def get_recording_download(request: Request) -> Reply[RecordingDownloadResponse]:
    """Get recording download URL.

    The URL needs no credentials and is valid for an hour. 409 while there is no file.
    """
    return Reply(await request.service(RECORDINGS).download(request.path_id(), request.caller))


@routes.get("/recordings/{id}/file", access=PUBLIC)
async def get_recording_file(request: Request, query: FileQuery) -> web.StreamResponse:
    """Serve recording file.

    An MP4 without an envelope; supports ranges (206, 416) and conditional requests (304).
    """
    return await request.service(RECORDINGS).send(request.raw, request.path_id(), query.token)


@routes.get("/sessions/{id}/recordings", access=HOST)
async def list_session_recordings(request: Request, query: Page) -> Reply[RecordingListResponse]:
    """Get recordings for a session."""
    service = request.service(RECORDINGS)
    return Reply(await service.list_of_session(request.path_id(), request.caller, query))


@routes.get("/sessions/{id}/recordings/active", access=HOST)
async def get_active_recording(request: Request) -> Reply[RecordingResponse | None]:
    """Get active recording for a session.

    `data` is null if none is active.
    """
    return Reply(await request.service(RECORDINGS).active(request.path_id(), request.caller))


@routes.post("/sessions/{id}/recordings/start", access=HOST, status=201, idempotent=True)
async def start_recording(request: Request) -> Reply[RecordingResponse]:
    """Start recording a session.

    The session must be live; 409 if it is being recorded already.
    """
    service = request.service(RECORDINGS)
    return Reply(await service.start(request.reservation, request.path_id(), request.caller))


@routes.post("/sessions/{id}/recordings/stop", access=HOST)
async def stop_recording(request: Request) -> Reply[RecordingResponse]:
    """Stop recording a session.

    The recording is `completed` once its file is stored. A running stream continues.
    """
    return Reply(await request.service(RECORDINGS).stop(request.path_id(), request.caller))


@admin_routes.get("/admin/storage/status", access=ADMIN)
async def get_storage_status(request: Request) -> Reply[StorageStatusResponse]:
    """Get storage status."""
    return Reply(await request.service(HOUSEKEEPING).status())


@admin_routes.post("/admin/storage/cleanup", access=ADMIN)
async def clean_storage(request: Request, body: CleanupRequest) -> Reply[CleanupResponse]:
    """Trigger storage cleanup.

    Deletes recordings older than `older_than_days`; without it, those beyond the configured age or quota.
    `dry_run` only lists what would be deleted.
    """
    return Reply(await request.service(HOUSEKEEPING).clean(body.older_than_days, dry_run=body.dry_run))


@admin_routes.post("/admin/recordings/{id}/retry", access=ADMIN)
async def retry_recording(request: Request) -> Reply[RecordingResponse]:
    """Retry a failed recording.

    Looks for its file; if there is none, makes it again from the stored segments. 409 unless it has failed.
    """
    return Reply(await request.service(HOUSEKEEPING).retry(request.path_id()))
