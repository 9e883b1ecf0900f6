"""HTTP bodies and data about recordings and their storage."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from services.egress.recordings.domain import Recording
from services.egress.recordings.files import RecordingFiles
from services.egress.recordings.repository import RecordingFilter
from shared.contracts.states import RecordingStatus
from shared.http import Body, Data
from shared.http.schema import Id, Line, Page, Query


class UpdateRecordingRequest(Body):
    name: Annotated[Line, Field(min_length=1, max_length=255)]


LinkSeconds = Annotated[int, Field(ge=0, le=7 * 24 * 3600)]


class MyRecordingsQuery(Page):
    """Of several `status` any holds. `cursor` is the id of the last recording of the page before.

    With `link_seconds`, completed recordings have a `download_url`, valid for so long. With `own`, an API key
    gets those of its host alone, as a host does.
    """

    session_id: Id | None = None
    room_id: Id | None = None
    status: list[RecordingStatus] | None = None
    cursor: Id | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 10
    link_seconds: LinkSeconds | None = None
    own: bool = False

    def filter(self) -> RecordingFilter:
        return RecordingFilter(**self.model_dump(include={"session_id", "room_id", "status", "cursor"}))


class DownloadQuery(Query):
    """`seconds`: how long the URL is valid."""

    seconds: LinkSeconds = 3600


class FileQuery(Query):
    """`token` is part of a download URL."""

    token: Annotated[str, Field(max_length=200)]


class RecordingResponse(Data):
    """`duration` in whole seconds, `duration_seconds` exactly and `file_size` in bytes are null until the
    file is stored; `started_at` and `finished_at` until the picture begins and ends. `room_id` may be null
    for recordings made by earlier releases. `download_url` is in lists that were asked for links.

    `error_message` says why it failed, or what is missing from a completed one. If it broke off, another
    recording goes on: that one `continues` this.
    """

    id: str
    host_id: str
    session_id: str
    room_id: str | None
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
    download_url: str | None
    started_at: datetime | None
    stop_requested_at: datetime | None
    finished_at: datetime | None
    created_at: datetime
    updated_at: datetime


class RecordingListResponse(Data):
    recordings: list[RecordingResponse]
    total: int


class MyRecordingsResponse(RecordingListResponse):
    """`next_cursor` is for the page that follows; null after the last."""

    next_cursor: str | None


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


def my_recordings(
    found: Sequence[Recording], total: int, query: MyRecordingsQuery, files: RecordingFiles
) -> MyRecordingsResponse:
    """`found` may have one more than the page."""
    shown = found[: query.limit]
    lifetime = None if query.link_seconds is None else timedelta(seconds=query.link_seconds)
    return MyRecordingsResponse(
        recordings=[recording_response(one, _download_url(one, files, lifetime)) for one in shown],
        total=total,
        next_cursor=shown[-1].id if len(found) > query.limit else None,
    )


def _download_url(recording: Recording, files: RecordingFiles, lifetime: timedelta | None) -> str | None:
    if lifetime is None or not recording.completed:
        return None
    return files.link(recording, lifetime).url


def recording_response(recording: Recording, download_url: str | None = None) -> RecordingResponse:
    return RecordingResponse(
        id=recording.id,
        host_id=recording.host_id,
        session_id=recording.session_id,
        room_id=recording.room_id,
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
        download_url=download_url,
        started_at=recording.started_at,
        stop_requested_at=recording.stop_requested_at,
        finished_at=recording.finished_at,
        created_at=recording.created_at,
        updated_at=recording.updated_at,
    )
