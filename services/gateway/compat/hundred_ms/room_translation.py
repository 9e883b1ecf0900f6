"""Rooms of one API as rooms of the other; pure.

What means nothing natively is kept in the room's `meta` under "hundred_ms", which its sessions copy; secrets
are not.
"""

from collections.abc import Mapping
from typing import Any, Final

from services.gateway.compat.hundred_ms.room_bodies import HundredMsRoomUpdate
from services.gateway.compat.hundred_ms.schemas import HundredMsRoom, RoomExtras
from services.gateway.compat.titles import room_title

Native = Mapping[str, Any]

_OURS: Final = "hundred_ms"
_KEPT: Final = ("region", "large_room", "max_duration_seconds", "polls", "webhook", "recording_info")
_DEFAULT_REGION: Final = "auto"
_SAME: Final = ("enabled", "description")


def created_room(body: HundredMsRoomUpdate, name: str, preset_id: str | None) -> dict[str, object]:
    """The body of POST /rooms."""
    return {
        "title": room_title(name, name),
        **_native(body),
        "name": name,
        "preset_id": preset_id,
        "unlisted": True,
        "auto_session": True,
        "meta": {_OURS: _kept(body)},
    }


def changed_room(room: Native, body: HundredMsRoomUpdate, preset_id: str | None = None) -> dict[str, object]:
    """The body of PATCH /rooms/{id} for what was sent."""
    changes = _native(body)
    kept = _kept(body)
    if kept:
        changes["meta"] = {**room["meta"], _OURS: {**kept_settings(room), **kept}}
    if preset_id is not None:
        changes["preset_id"] = preset_id
    return changes


def room(native: Native, customer_id: str) -> dict[str, Any]:
    kept = kept_settings(native)
    template_id = native["preset_id"] or ""
    recording_info = _recording_info(native, kept)
    shown = HundredMsRoom(
        id=native["id"],
        name=native["name"] or native["id"],
        enabled=native["enabled"],
        description=native["description"] or "",
        customer_id=customer_id,
        customer=customer_id,
        app_id=native["host_id"],
        recording_info=recording_info,
        recording_source_template=recording_info is None,
        template_id=template_id,
        template=template_id,
        region=kept.get("region", _DEFAULT_REGION),
        created_at=native["created_at"],
        updated_at=native["updated_at"],
    )
    given = {name: kept.get(name) for name in RoomExtras.model_fields} | {"size": native["max_members"]}
    extras = RoomExtras.model_validate(given)
    return shown.model_dump() | extras.model_dump(exclude_none=True)


def kept_settings(native: Native) -> Native:
    """What is kept in a room's or a session's `meta`."""
    kept = native["meta"].get(_OURS)
    return kept if isinstance(kept, dict) else {}


def _native(body: HundredMsRoomUpdate) -> dict[str, object]:
    """The fields that have a native meaning."""
    fields: dict[str, object] = {name: sent for name in _SAME if (sent := getattr(body, name)) is not None}
    if body.name is not None:
        fields |= {"name": body.name, "title": room_title(body.name, body.name)}
    if body.size is not None:
        fields["max_members"] = body.size or None
    if body.recording_info is not None:
        fields["record_on_start"] = bool(body.recording_info.enabled)
    return fields


def _kept(body: HundredMsRoomUpdate) -> dict[str, object]:
    return body.model_dump(include=set(_KEPT), exclude_none=True)


def _recording_info(native: Native, kept: Native) -> dict[str, Any] | None:
    info = kept.get("recording_info")
    if info is None and not native["record_on_start"]:
        return None
    return {**(info or {}), "enabled": native["record_on_start"]}
