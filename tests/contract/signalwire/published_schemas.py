"""SignalWire's published schemas, and what is wrong with an answer by them."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson

from shared.ids import is_id

_FILE: Final = Path(__file__).parents[1] / "data" / "signalwire.json"
_ENUMS: Final[Mapping[str, tuple[object, ...]]] = {
    "VideoQuality": ("720p", "1080p"),
    "VideoFps": (20, 30),
    "RoomSessionStatus": ("in-progress", "completed"),
    "RoomRecordingStatus": ("recording", "paused", "processing", "completed"),
    "RoomLayout": (
        *("grid-responsive", "grid-responsive-mobile", "highlight-1-responsive", "5up"),
        *("1x1", "2x1", "2x2", "3x3", "4x4", "5x5", "6x6", "8x8", "10x10"),
    ),
}
_PLAIN: Final[Mapping[str, type]] = {
    "string": str,
    "boolean": bool,
    "int32": int,
    "float64": float,
    "object": dict,
}
# What SignalWire published of sessions before.
EARLIER: Final = {"enable_room_previews": "boolean", "audio_video_sync": "boolean"}


@cache
def document() -> dict[str, Any]:
    published: dict[str, Any] = orjson.loads(_FILE.read_bytes())
    for name in ("RoomSession", "RoomSessionSummary"):
        earlier = {field: {"type": kind} for field, kind in EARLIER.items()}
        published["schemas"][name] = earlier | published["schemas"][name]
    return published


def faults(schema: str, value: Any, place: str = "") -> list[str]:
    """What is there and should not be, is not and should, or is of another type."""
    if not isinstance(value, dict):
        return [f"{place}: {value!r} is no object"]
    fields = document()["schemas"][schema]
    needed = {name for name, field in fields.items() if not field.get("optional")}
    found = [f"{place}.{name}: missing" for name in needed - value.keys()]
    found += [f"{place}.{name}: not published" for name in value.keys() - fields.keys()]
    for name in value.keys() & fields.keys():
        found += _type_faults(fields[name]["type"], value[name], f"{place}.{name}")
    return found


def _type_faults(kind: str, value: Any, place: str) -> list[str]:
    kind, _, nullable = kind.partition(" | ")
    if value is None:
        return [] if nullable == "null" else [f"{place}: null"]
    if kind in document()["schemas"]:
        return faults(kind, value, place)
    return [] if _is_of(kind, value) else [f"{place}: {value!r} is no {kind}"]


def _is_of(kind: str, value: Any) -> bool:
    if kind in _ENUMS:
        return value in _ENUMS[kind]
    if kind == "uuid":
        return isinstance(value, str) and is_id(value)
    if kind == "date-time":
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    return type(value) is _PLAIN[kind]


def operation(operation_id: str) -> dict[str, Any]:
    return next(one for one in document()["operations"] if one["operation_id"] == operation_id)


def answer_faults(operation_id: str, status: int, body: Any) -> list[str]:
    """What is wrong with the answer to an operation that succeeded."""
    published = operation(operation_id)
    data = published["data"]
    wrong = [] if status == published["status"] else [f"status {status}"]
    if data is None:
        return wrong if body is None else [*wrong, f"a body: {body!r}"]
    if isinstance(data, str):
        return wrong + faults(_schema(data), body)
    if body.keys() != data.keys():
        return [*wrong, f"fields {sorted(body)}"]
    items = _schema(data["data"])
    wrong += faults(data["links"], body["links"], "links")
    return wrong + [fault for item in body["data"] for fault in faults(items, item, items)]


def _schema(text: str) -> str:
    found = re.match(r"\w+", text)
    assert found is not None
    return found[0]
