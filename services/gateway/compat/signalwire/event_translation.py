"""A session's journal as SignalWire's events; pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

Native = Mapping[str, Any]

# Native event -> SignalWire's word for it; the others keep their names.
_NAMES: Final[Mapping[str, str]] = {
    "session.started": "room.started",
    "session.ended": "room.ended",
    "participant.joined": "member.joined",
    "participant.left": "member.left",
    "recording.started": "recording.started",
    "recording.completed": "recording.ended",
}
_VERSION: Final = re.compile(r"\.v\d+$")
_FAILED: Final = ".failed"


def video_event(event: Native, session: Native, project_id: str | None) -> dict[str, Any]:
    """`session` has at least `id` and `room_id`; ids of a recording and a member are there if it has them."""
    data: Native = event["data"]
    name = _VERSION.sub("", event["name"])
    shown = {
        "id": event["id"],
        "project_id": project_id,
        "room_id": session["room_id"],
        "room_session_id": session["id"],
        "level": "error" if name.endswith(_FAILED) else "info",
        "name": _NAMES.get(name, name),
        "payload": data,
        "created_at": event["at"],
    }
    about = {
        "room_recording_id": data.get("recording_id"),
        "room_participant_id": data.get("connection_id"),
    }
    return shown | {name: id for name, id in about.items() if id is not None}
