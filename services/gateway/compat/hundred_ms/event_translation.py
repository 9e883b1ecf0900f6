"""A session's journal as 100ms's analytics events; pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from services.gateway.compat.hundred_ms.roles import shown_role
from services.gateway.compat.hundred_ms.session_translation import user_id

Native = Mapping[str, Any]

_RECORDING: Final = "recording.changed.v1"
_STREAM: Final = "stream.changed.v1"
# Type -> native event, and the status in it that makes it of this type.
EVENT_TYPES: Final[Mapping[str, tuple[str, str | None]]] = {
    "session.open.success": ("session.started.v1", None),
    "session.close.success": ("session.ended.v1", None),
    "peer.join.success": ("participant.joined.v1", None),
    "peer.join.failure": ("participant.connection_aborted.v1", None),
    "peer.leave.success": ("participant.left.v1", None),
    "track.add.success": ("track.published.v1", None),
    "track.remove.success": ("track.unpublished.v1", None),
    "beam.started.success": (_RECORDING, "recording"),
    "beam.recording.success": (_RECORDING, "completed"),
    "beam.failure": (_RECORDING, "failed"),
    "hls.started.success": (_STREAM, "active"),
    "hls.stopped.success": (_STREAM, "ended"),
    "hls.failure": (_STREAM, "failed"),
}
_TYPES: Final = {native: shown for shown, native in EVENT_TYPES.items()}
_WITH_STATUS: Final = frozenset({_RECORDING, _STREAM})
_FAILURE: Final = ".failure"
_VERSION: Final = "2.0"
# LiveKit's reasons; all others are connections that broke.
_LEAVE_REASONS: Final[Mapping[str, str]] = {
    "client_initiated": "client request",
    "participant_removed": "peer kicked",
    "room_deleted": "server removed peer",
}
_BROKEN: Final = "websocket closed"


def wanted_types(types: list[str] | None, *, failures: bool) -> list[str]:
    """Those of `types` that there are, all without any; of them the `failures` alone, if asked for."""
    asked = EVENT_TYPES if types is None else EVENT_TYPES.keys() & set(types)
    return sorted(one for one in asked if one.endswith(_FAILURE) or not failures)


def analytics_events(
    events: Iterable[Native], session: Native, connections: Mapping[str, Native]
) -> Iterator[dict[str, Any]]:
    """The events of `session` that have a type; `connections` by id, as far as they are known.

    A recording or stream whose state is told again is shown once.
    """
    last: dict[str, str] = {}
    for event in events:
        kind = _type(event)
        if kind is None:
            continue
        shown = _data(kind, event, session, connections)
        beam_id = shown.get("beam_id", "")
        if beam_id and last.get(beam_id) == kind:
            continue
        last[beam_id] = kind
        yield {
            "version": _VERSION,
            "id": event["id"],
            "timestamp": event["at"],
            "type": kind,
            "data": _of_session(session) | {name: one for name, one in shown.items() if one is not None},
        }


def needs_connections(event: Native) -> bool:
    """Whether the event does not say itself who it is about."""
    return str(event["name"]).startswith("track.")


def _type(event: Native) -> str | None:
    name = event["name"]
    return _TYPES.get((name, event["data"]["status"] if name in _WITH_STATUS else None))


def _of_session(session: Native) -> dict[str, Any]:
    return {
        "room_id": session["room_id"],
        "room_name": session["room_name"] or session["room_id"],
        "session_id": session["id"],
        "template_id": (session["preset"] or {}).get("id") or "",
        "session_started_at": session["started_at"],
    }


def _data(kind: str, event: Native, session: Native, connections: Mapping[str, Native]) -> dict[str, Any]:
    data, noun = event["data"], kind.partition(".")[0]
    if noun == "session":
        return _closing(event, session) if kind == "session.close.success" else {}
    if noun == "beam":
        return _recording(data)
    if noun == "hls":
        return {"beam_id": session["id"], "error": data["error"]}
    if noun == "track":
        return _track(kind, event, connections.get(data.get("connection_id", ""), data))
    return _peer(data) | (_leaving(data) if kind != "peer.join.success" else {})


def _closing(event: Native, session: Native) -> dict[str, Any]:
    ended_at = event["data"]["ended_at"]
    return {
        "session_stopped_at": ended_at,
        "session_duration": _seconds(session["started_at"], ended_at),
    }


def _recording(data: Native) -> dict[str, Any]:
    return {
        "beam_id": data["recording_id"],
        "recording_id": data["recording_id"],
        "duration": data["duration"],
        "size": data["file_size"],
        "error": data["error"],
        "created_at": data["created_at"],
    }


def _peer(data: Native) -> dict[str, Any]:
    """Of an event or a connection."""
    return {
        "peer_id": data.get("connection_id") or data.get("id"),
        "user_id": user_id(data) if "external_user_id" in data else data["user_id"],
        "user_name": data.get("name"),
        "role": shown_role(data["role"]) if "role" in data else None,
        "joined_at": data.get("joined_at"),
    }


def _leaving(data: Native) -> dict[str, Any]:
    return {
        "left_at": data["left_at"],
        "duration": _seconds(data["joined_at"], data["left_at"]),
        "reason": _LEAVE_REASONS.get(data["reason"] or "", _BROKEN),
    }


def _track(kind: str, event: Native, peer: Native) -> dict[str, Any]:
    data = event["data"]
    return _peer(peer) | {
        "track_id": data["track_sid"],
        "stream_id": data["participant_sid"],
        "type": data["type"],
        "source": "screen" if data["source"].startswith("screen") else "regular",
        "started_at" if kind == "track.add.success" else "stopped_at": data["occurred_at"],
    }


def _seconds(start: str, end: str) -> int:
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
