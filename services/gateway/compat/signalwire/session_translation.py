"""Sessions, their members, recordings and events as SignalWire shows them; pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from services.gateway.compat.signalwire.room_translation import (
    DEFAULT_FPS,
    DEFAULT_QUALITY,
    kept_settings,
    shown_layout,
    shown_name,
)
from services.gateway.compat.signalwire.schemas import (
    VideoActiveSession,
    VideoMember,
    VideoRecording,
    VideoRoomSession,
    VideoRoomSessionSummary,
)
from services.gateway.compat.signalwire.vocabulary import SESSION_STATUSES

Native = Mapping[str, Any]
M = TypeVar("M", bound=BaseModel)

_OPTIONS: Final = (
    "join_from",
    "join_until",
    "remove_at",
    "remove_after_seconds_elapsed",
    "max_members",
    "record_on_start",
)
_SAME: Final = ("id", "room_id", "duration", "preview_url", "created_at", "updated_at")


def video_session(session: Native) -> VideoRoomSession:
    return _session(session, VideoRoomSession)


def video_session_summary(session: Native) -> VideoRoomSessionSummary:
    return _session(session, VideoRoomSessionSummary)


def video_active_session(session: Native) -> VideoActiveSession:
    return _session(session, VideoActiveSession)


def video_member(connection: Native) -> VideoMember:
    joined, left = connection["joined_at"], connection["left_at"]
    return VideoMember(
        id=connection["id"],
        room_session_id=connection["session_id"],
        name=connection["name"],
        join_time=joined,
        leave_time=left,
        duration=_seconds_between(joined, left) if left else None,
    )


def video_recording(recording: Native, uri: str | None) -> VideoRecording:
    return VideoRecording(
        id=recording["id"],
        room_session_id=recording["session_id"],
        status=_recording_status(recording),
        started_at=recording["started_at"],
        finished_at=recording["finished_at"],
        duration=recording["duration"],
        size_in_bytes=recording["file_size"],
        uri=uri,
        created_at=recording["created_at"],
        updated_at=recording["updated_at"],
    )


def _session(session: Native, model: type[M]) -> M:
    """A session that has begun."""
    options, kept = session["options"], kept_settings(session["meta"])
    synced = kept.get("sync_audio_video")
    name = session["room_name"] or session["room_id"]
    fields = {field: session[field] for field in _SAME} | {field: options[field] for field in _OPTIONS}
    fields |= {
        "name": name,
        "display_name": shown_name(session["title"], name, kept),
        "layout": shown_layout(options["layout"], kept),
        "quality": options["quality"] or DEFAULT_QUALITY,
        "fps": options["fps"] or DEFAULT_FPS,
        "start_time": session["started_at"],
        "end_time": session["ended_at"],
        "status": SESSION_STATUSES[session["status"]],
        "sync_audio_video": synced,
        "audio_video_sync": bool(synced),
        "enable_room_previews": bool(kept.get("enable_room_previews")),
    }
    return model.model_validate(fields)


def _recording_status(recording: Native) -> str | None:
    """None for one that failed: SignalWire has no word for it."""
    if recording["status"] == "recording":
        return "recording" if recording["finished_at"] is None else "processing"
    return "completed" if recording["status"] == "completed" else None


def _seconds_between(start: str, end: str) -> int:
    """Whole ones, as a session's duration is counted."""
    return int((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
