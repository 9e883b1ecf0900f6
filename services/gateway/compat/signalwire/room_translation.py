"""Rooms of one API as rooms of the other; pure.

What means nothing natively, and what would not come back as it was sent, is kept in the room's `meta` under
"signalwire", which its sessions copy. What was changed natively since then wins over it.
"""

from collections.abc import Mapping
from typing import Any, Final

from services.gateway.compat.signalwire.bodies import VideoRoomCreate, VideoRoomUpdate
from services.gateway.compat.signalwire.schemas import VideoRoom
from services.gateway.compat.signalwire.vocabulary import DEFAULT_LAYOUT, LAYOUTS, native_layout
from services.gateway.compat.titles import room_title

Native = Mapping[str, Any]

OURS: Final = "signalwire"
# Of rooms that were made natively, without these.
MOST_MEMBERS: Final = 300
DEFAULT_QUALITY: Final = "720p"
DEFAULT_FPS: Final = 30
_DEFAULTS: Final[Mapping[str, object]] = {
    "max_members": 20,
    "quality": DEFAULT_QUALITY,
    "layout": DEFAULT_LAYOUT,
    "record_on_start": False,
    "enable_room_previews": False,
}
_KEPT: Final = ("display_name", "layout", "enable_room_previews", "meta", "sync_audio_video")
_SAME: Final = (
    "description",
    "max_members",
    "quality",
    "join_from",
    "join_until",
    "remove_at",
    "remove_after_seconds_elapsed",
    "record_on_start",
)


def created_room(body: VideoRoomCreate) -> dict[str, object]:
    """The body of POST /rooms."""
    sent = {name: _value(body, name) for name in VideoRoomUpdate.model_fields}
    return {
        **_native(sent, body.name),
        "name": body.name,
        "unlisted": True,
        "auto_session": True,
        "meta": {OURS: _kept(sent)},
    }


def changed_room(room: Native, body: VideoRoomUpdate) -> dict[str, object]:
    """The body of PATCH /rooms/{id} for the fields that were sent."""
    sent = {name: _value(body, name) for name in body.model_fields_set}
    changes = _native(sent, room["name"] or room["id"])
    kept = _kept(sent)
    if kept:
        meta = room["meta"] or {}
        changes["meta"] = {**meta, OURS: {**kept_settings(meta), **kept}}
    return changes


def video_room(room: Native) -> VideoRoom:
    kept = kept_settings(room["meta"])
    name = room["name"] or room["id"]
    return VideoRoom(
        id=room["id"],
        name=name,
        display_name=shown_name(room["title"], name, kept),
        description=room["description"],
        max_members=room["max_members"] or MOST_MEMBERS,
        quality=room["quality"] or DEFAULT_QUALITY,
        fps=room["fps"] or DEFAULT_FPS,
        join_from=room["join_from"],
        join_until=room["join_until"],
        remove_at=room["remove_at"],
        remove_after_seconds_elapsed=room["remove_after_seconds_elapsed"],
        layout=shown_layout(room["layout"], kept),
        record_on_start=room["record_on_start"],
        enable_room_previews=bool(kept.get("enable_room_previews")),
        sync_audio_video=kept.get("sync_audio_video"),
        meta=kept.get("meta"),
        created_at=room["created_at"],
        updated_at=room["updated_at"],
    )


def kept_settings(meta: Native | None) -> Native:
    """What is kept in a room's or a session's `meta`."""
    kept = (meta or {}).get(OURS)
    return kept if isinstance(kept, dict) else {}


def shown_name(title: str, name: str, kept: Native) -> str:
    """The display name: as it was sent, or the name, unless the title was changed natively."""
    sent = kept.get("display_name") or name
    return sent if room_title(sent, name) == title else title


def shown_layout(layout: str | None, kept: Native) -> str:
    sent = kept.get("layout")
    return sent if sent is not None and native_layout(sent) == layout else LAYOUTS[layout]


def _value(body: VideoRoomUpdate, name: str) -> Any:
    value = getattr(body, name)
    return _DEFAULTS.get(name) if value is None else value


def _native(sent: Native, name: str) -> dict[str, object]:
    """The fields that have a native meaning."""
    fields: dict[str, object] = {field: sent[field] for field in _SAME if field in sent}
    if "layout" in sent:
        fields["layout"] = native_layout(sent["layout"])
    if "display_name" in sent:
        fields["title"] = room_title(sent["display_name"] or name, name)
    return fields


def _kept(sent: Native) -> dict[str, object]:
    return {name: sent[name] for name in _KEPT if name in sent}
