"""A session's journal as 100ms's analytics events; pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from services.gateway.compat.hundred_ms.roles import shown_role

Native = Mapping[str, Any]

EVENT_TYPES: Final[Mapping[str, str]] = {
    "session.open.success": "session.started",
    "session.close.success": "session.ended",
    "peer.join.success": "participant.joined",
    "peer.join.failure": "participant.connection_aborted",
    "peer.leave.success": "participant.left",
    "track.add.success": "track.published",
    "track.remove.success": "track.unpublished",
    "beam.started.success": "recording.started",
    "beam.recording.success": "recording.completed",
    "beam.failure": "recording.failed",
    "hls.started.success": "stream.started",
    "hls.stopped.success": "stream.ended",
    "hls.failure": "stream.failed",
}
_TYPES: Final = {native: shown for shown, native in EVENT_TYPES.items()}
_FAILURE: Final = ".failure"
_VERSION: Final = "2.0"
# LiveKit's reasons; all others are connections that broke.
_LEAVE_REASONS: Final[Mapping[str, str]] = {
    "client_initiated": "client request",
    "participant_removed": "peer kicked",
    "room_deleted": "server removed peer",
}
_BROKEN: Final = "websocket closed"
_SAME: Final = ("role", "joined_at", "left_at", "duration", "track_id", "type", "recording_id")
_RENAMED: Final[Mapping[str, str]] = {
    "connection_id": "peer_id",
    "name": "user_name",
    "participant_sid": "stream_id",
    "file_size": "size",
    "error": "error",
}


def native_names(types: list[str] | None, *, failures: bool) -> list[str]:
    """The native events of these types, of all without any; of those the `failures` alone, if asked for."""
    wanted = EVENT_TYPES if types is None else [one for one in types if one in EVENT_TYPES]
    return [EVENT_TYPES[one] for one in wanted if one.endswith(_FAILURE) or not failures]


def analytics_event(event: Native, session: Native) -> dict[str, Any]:
    """`session` is the one it happened in."""
    kind = _TYPES[event["name"]]
    return {
        "version": _VERSION,
        "id": event["id"],
        "timestamp": event["at"],
        "type": kind,
        "data": _of_session(session) | _of_kind(kind, event, session) | _fields(event["data"]),
    }


def _of_session(session: Native) -> dict[str, Any]:
    return {
        "room_id": session["room_id"],
        "room_name": session["room_name"] or session["room_id"],
        "session_id": session["id"],
        "template_id": (session["preset"] or {}).get("id") or "",
        "session_started_at": session["started_at"],
    }


def _of_kind(kind: str, event: Native, session: Native) -> dict[str, Any]:
    """What is not in the event's own data."""
    data, at, noun = event["data"], event["at"], kind.partition(".")[0]
    if kind == "session.close.success":
        return {"session_stopped_at": at, "session_duration": _seconds(session["started_at"], at)}
    if kind == "peer.leave.success":
        reason = _LEAVE_REASONS.get(data.get("reason") or "", _BROKEN)
        return {"reason": reason, "left_at": at, "duration": _seconds(data.get("joined_at"), at)}
    if noun == "track":
        source = "screen" if str(data.get("source")).startswith("screen") else "regular"
        return {"source": source, "started_at" if kind == "track.add.success" else "stopped_at": at}
    if noun == "beam":
        return {"beam_id": data.get("recording_id")}
    return {"beam_id": session["id"]} if noun == "hls" else {}


def _fields(data: Native) -> dict[str, Any]:
    """What is there of what has a published name."""
    fields = {name: data.get(name) for name in _SAME}
    fields |= {shown: data.get(native) for native, shown in _RENAMED.items()}
    fields["user_id"] = data.get("external_user_id") or data.get("user_id")
    if fields["role"] is not None:
        fields["role"] = shown_role(fields["role"])
    return {name: value for name, value in fields.items() if value is not None}


def _seconds(start: str | None, end: str) -> int:
    if start is None:
        return 0
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
