"""A session's journal as SignalWire's events; pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

Native = Mapping[str, Any]

# Native event -> the name of SignalWire's realtime event for it; the others keep their names.
_NAMES: Final[Mapping[str, str]] = {
    "session.started": "room.started",
    "session.updated": "room.updated",
    "session.ended": "room.ended",
    "participant.joined": "member.joined",
    "participant.left": "member.left",
}
# Changes that are told apart by the state after them.
_BY_STATUS: Final[Mapping[str, Mapping[str, str]]] = {
    "recording.changed": {"completed": "recording.ended", "failed": "recording.ended"},
    "stream.changed": {"active": "stream.started", "ended": "stream.ended", "failed": "stream.ended"},
}
_VERSION: Final = re.compile(r"\.v\d+$")


def video_event(event: Native, session: Native, project_id: str | None) -> dict[str, Any]:
    """`session` has at least `id` and `room_id`; ids of a recording and a member are there if it has them."""
    data: Native = event["data"]
    shown = {
        "id": event["id"],
        "project_id": project_id,
        "room_id": session["room_id"],
        "room_session_id": session["id"],
        "level": "error" if data.get("status") == "failed" else "info",
        "name": _name(_VERSION.sub("", event["name"]), data),
        "payload": data,
        "created_at": event["at"],
    }
    about = {
        "room_recording_id": data.get("recording_id"),
        "room_participant_id": data.get("connection_id"),
    }
    return shown | {name: id for name, id in about.items() if id is not None}


def _name(name: str, data: Native) -> str:
    if name not in _BY_STATUS:
        return _NAMES.get(name, name)
    updated = name.replace(".changed", ".updated")
    if data["updated_at"] == data.get("created_at"):
        updated = name.replace(".changed", ".started")
    return _BY_STATUS[name].get(data["status"], updated)
