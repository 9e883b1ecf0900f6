"""HTTP bodies and data about recordings and their storage."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.egress.recordings.domain import Recording
from shared.http import Body, Data
from shared.http.schema import Line, Query


class UpdateRecordingRequest(Body):
    name: Annotated[Line, Field(min_length=1, max_length=255)]


class FileQuery(Query):
    """`token` is part of a download URL."""

    token: Annotated[str, Field(max_length=200)]


class RecordingResponse(Data):
    """`duration` in whole seconds, `duration_seconds` exactly and `file_size` in bytes are null until the
    file is stored.

    `error_message` says why it failed, or what is missing from a completed one. If it broke off, another
    recording goes on: that one `continues` this.
    """

    id: str
    session_id: str
    egress_id: str | None
    name: str
    file_path: str | None
    duration: int | None
    duration_seconds: float | None
    file_size: int | None
    status: Literal["recording", "completed", "failed"]
    storage_type: str
    retry_count: int
    error_message: str | None
    continues: str | None
    created_at: datetime
    updated_at: datetime


class RecordingListResponse(Data):
    recordings: list[RecordingResponse]
    total: int


class RecordingDownloadResponse(Data):
    download_url: str
    expires_at: datetime


class StorageStatusResponse(Data):
    """In bytes; null if the storage does not report it. `reclaimable_bytes` is what a cleanup would free
    now."""

    storage_type: str
    total_bytes: int | None
    used_bytes: int | None
    free_bytes: int | None
    recording_count: int
    reclaimable_bytes: int


class CleanupRequest(Body):
    """Without `older_than_days` the configured age and quota decide."""

    older_than_days: Annotated[int, Field(ge=0, le=36_500)] | None = None
    dry_run: bool = False


class CleanupResponse(Data):
    deleted_recordings: int
    freed_bytes: int
    dry_run: bool


def recording_list(found: Sequence[Recording], total: int) -> RecordingListResponse:
    return RecordingListResponse(recordings=[recording_response(one) for one in found], total=total)


def recording_response(recording: Recording) -> RecordingResponse:
    return RecordingResponse(
        id=recording.id,
        session_id=recording.session_id,
        egress_id=recording.egress_id,
        name=recording.name,
        file_path=recording.file_key if recording.completed else None,
        duration=recording.duration,
        duration_seconds=recording.duration_seconds,
        file_size=recording.file_size,
        status=recording.status.value,
        storage_type=recording.storage_type,
        retry_count=recording.retry_count,
        error_message=recording.error,
        continues=recording.continues,
        created_at=recording.created_at,
        updated_at=recording.updated_at,
    )
