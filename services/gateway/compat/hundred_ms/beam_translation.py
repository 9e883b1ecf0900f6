"""Recordings and streams, which 100ms calls beams, and their files; pure."""

from collections.abc import Mapping
from typing import Any, Final

from services.gateway.compat.hundred_ms.schemas import (
    BeamStatus,
    HundredMsLiveStream,
    HundredMsRecording,
    ListedRecording,
    Playback,
    RecordingAsset,
)

Native = Mapping[str, Any]

_ASSET_TYPE: Final = "room-composite"
_SAME: Final = ("id", "session_id", "created_at", "started_at", "updated_at")
RUNS: Final = "recording"
# Native statuses in which a beam may have the one that is asked for.
RECORDING_STATUSES: Final[Mapping[BeamStatus, tuple[str, ...]]] = {
    "starting": (RUNS,),
    "running": (RUNS,),
    "stopping": (RUNS,),
    "post_processing": (RUNS,),
    "completed": ("completed",),
    "failed": ("failed",),
}
_STREAM_STATUSES: Final[Mapping[str, BeamStatus]] = {
    "none": "starting",
    "starting": "starting",
    "active": "running",
    "ending": "stopping",
    "ended": "completed",
    "failed": "failed",
}
STREAM_STATUSES: Final[Mapping[BeamStatus, tuple[str, ...]]] = {
    "starting": ("starting",),
    "running": ("active",),
    "stopping": ("ending",),
    "post_processing": (),
    "completed": ("ended",),
    "failed": ("failed",),
}


def listed_recording(native: Native) -> ListedRecording:
    return ListedRecording.model_validate(_recording_fields(native))


def recording(native: Native) -> HundredMsRecording:
    assets = None if recording_runs(native) else [recording_asset(native)]
    return HundredMsRecording.model_validate(_recording_fields(native) | {"recording_assets": assets})


def recording_runs(native: Native) -> bool:
    return bool(native["status"] == RUNS)


def recording_status(native: Native) -> BeamStatus:
    if not recording_runs(native):
        return "completed" if native["status"] == "completed" else "failed"
    if native["finished_at"] is not None:
        return "post_processing"
    if native["stop_requested_at"] is not None:
        return "stopping"
    return "starting" if native["started_at"] is None else "running"


def recording_asset(native: Native) -> RecordingAsset:
    """The file of a recording that is over, or that it has none."""
    return RecordingAsset(
        id=native["id"],
        job_id=native["id"],
        room_id=native["room_id"] or "",
        session_id=native["session_id"],
        status="completed" if native["status"] == "completed" else "failed",
        path=native["file_path"] or "",
        size=native["file_size"] or 0,
        duration=native["duration"] or 0,
        created_at=native["created_at"],
    )


def stream_is_over(native: Native) -> bool:
    return native["status"] in {"none", "ended"}


def live_stream(native: Native) -> HundredMsLiveStream:
    """A session has one stream, whose id is the session's."""
    return HundredMsLiveStream(
        id=native["session_id"],
        room_id=native["room_id"] or "",
        session_id=native["session_id"],
        status=_STREAM_STATUSES[native["status"]],
        created_at=native["created_at"],
        started_at=native["started_at"],
        updated_at=native["updated_at"],
        stopped_at=native["stopped_at"],
        playback=Playback(url=native["hls_url"] or ""),
    )


def starting_stream(session: Native) -> HundredMsLiveStream:
    """The stream that was asked for and is not known yet."""
    return HundredMsLiveStream(
        id=session["id"],
        room_id=session["room_id"],
        session_id=session["id"],
        status="starting",
        created_at=session["updated_at"],
        started_at=None,
        updated_at=session["updated_at"],
        stopped_at=None,
        playback=Playback(url=""),
    )


def _recording_fields(native: Native) -> dict[str, Any]:
    return {name: native[name] for name in _SAME} | {
        # Earlier releases did not note the room.
        "room_id": native["room_id"] or "",
        "status": recording_status(native),
        "stopped_at": native["finished_at"],
        "asset_types": [_ASSET_TYPE],
    }
