"""Whether an answer has exactly the fields and types that the contract gives it."""

import re
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.contract.api.contract import Operation, Spec, schemas

# What sessions take over from their room, and which of it may be null.
OPTIONS: dict[str, Spec] = {
    "auto_session": "boolean",
    "join_from": "date-time",
    "join_until": "date-time",
    "remove_at": "date-time",
    "remove_after_seconds_elapsed": "integer",
    "max_members": "integer",
    "record_on_start": "boolean",
    "layout": "grid|speaker|single_speaker",
    "fps": "integer",
    "quality": "720p|1080p",
}
_OPEN_OPTIONS = OPTIONS.keys() - {"auto_session", "record_on_start"}
# Where nothing may stand instead of a value; every other field is always filled.
NULLABLE = {
    "UserResponse": {"external_user_id", "organization_id", "email"},
    "RoomResponse": {
        "host",
        "description",
        "analytics",
        "active_session_id",
        "name",
        "preset_id",
        *_OPEN_OPTIONS,
    },
    "SessionResponse": {
        "room_name",
        "end_reason",
        "preview_url",
        *_OPEN_OPTIONS,
        "description",
        "started_at",
        "ended_at",
        "duration",
        "scheduled_start_time",
        "hls_url",
        "chat_enabled_override",
        "stage_enabled_override",
        "max_join_limit_override",
    },
    "StartSessionResponse": {"rtmp", "rtmp_setup", "whip_url", "whip_bearer_token"},
    "PresetResponse": {"logo", "logo_destination_url"},
    "RecordingResponse": {
        "egress_id",
        "file_path",
        "duration",
        "duration_seconds",
        "file_size",
        "error_message",
        "continues",
        "room_id",
        "stop_requested_at",
        "download_url",
        "started_at",
        "finished_at",
    },
    "SessionParticipantResponse": {"user", "joined_at", "assigned_by_user", "removed_at", "left_at"},
    "BannedParticipantResponse": {"user", "email", "banned_by_user", "reason"},
    "HandRaiseResponse": {"message", "responded_at"},
    "JoinRequestResponse": {"responded_at"},
    "StageParticipantResponse": {"left_stage_at"},
    "ChatMessageResponse": {"recipient_id", "recipient_username"},
    "PollResponse": {"closed_at"},
    "AttendanceResponse": {"email", "left_at"},
    "RoomAnalytics": {"google_tag_manager", "container_id", "enabled"},
}
# The same for data that has no name.
NULLABLE_DATA = {
    "GET /recordings/my": {"next_cursor"},
    "GET /rooms/my": {"next_cursor"},
    "GET /rooms/{id}/reminders/my": {"created_at"},
    "GET /sessions/{id}/share_urls": {"hls_url"},
    "GET /sessions/{id}/stream_health": {"room", "ingress"},
    "GET /sessions/{id}/ban_status": {"reason", "banned_at"},
    "GET /admin/storage/status": {"total_bytes", "used_bytes", "free_bytes"},
}
# What we answer beyond the contract.
EXTENSIONS: dict[str, dict[str, Spec]] = {
    "RoomResponse": {
        "name": "string",
        "enabled": "boolean",
        "unlisted": "boolean",
        "preset_id": "uuid",
        "meta": "object",
        **OPTIONS,
    },
    "SessionResponse": {
        "host_id": "uuid",
        "room_name": "string",
        "end_reason": "host|empty|member_left|no_host|max_duration|room_lost",
        "options": OPTIONS,
        "meta": "object",
        "preview_url": "string",
    },
    "StartSessionResponse": {"livekit_url": "string", "whip_bearer_token": "string"},
    "JoinSessionResponse": {"livekit_url": "string"},
    "PresetResponse": {"grid_video_fit": "fill|fit"},
    "RecordingResponse": {
        "host_id": "uuid",
        "room_id": "uuid",
        "continues": "string",
        "duration_seconds": "number",
        "download_url": "string",
        "stop_requested_at": "date-time",
        "started_at": "date-time",
        "finished_at": "date-time",
    },
}
# The same for the data of one operation.
ADDED_TO_DATA: dict[str, dict[str, Spec]] = {
    "GET /recordings/my": {"next_cursor": "uuid"},
    "GET /rooms/my": {"next_cursor": "uuid"},
    "POST /sessions/{id}/tokens": {"livekit_url": "string"},
}
# Data that may be null as a whole: what there is one of at most.
SINGLE = {
    "GET /sessions/{id}/recordings/active",
    "GET /sessions/{id}/hand_raise_status",
    "GET /sessions/{id}/join_requests/my",
}
# RFC 3339 in UTC.
_DATE_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$")
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")


def data_of(operation: Operation) -> Spec:
    """The operation's data with what we answer beyond the contract."""
    added = ADDED_TO_DATA.get(operation.key)
    if added is None:
        return operation.data
    fields = schemas()[operation.data] if isinstance(operation.data, str) else operation.data
    return {**fields, **added}


def faults(spec: Spec, value: Any, where: str = "data", nullable: frozenset[str] = frozenset()) -> list[str]:
    """What is wrong with `value`, one sentence a fault; empty when it is exactly as the contract says."""
    return list(_faults(spec, value, where, nullable))


def _faults(spec: Spec, value: Any, where: str, nullable: frozenset[str]) -> Iterator[str]:
    if spec is None:
        yield from [] if value is None else [f"{where} is not null"]
    elif isinstance(spec, str) and spec in schemas():
        fields = {**schemas()[spec], **EXTENSIONS.get(spec, {})}
        yield from _faults(fields, value, where, frozenset(NULLABLE.get(spec, ())))
    elif isinstance(spec, list):
        yield from _list_faults(spec[0], value, where)
    elif isinstance(spec, dict):
        yield from _object_faults(spec, value, where, nullable)
    elif not _is(spec, value):
        yield f"{where} is no {spec}: {value!r}"


def _list_faults(spec: Spec, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{where} is no list: {value!r}"
        return
    for index, item in enumerate(value):
        yield from _faults(spec, item, f"{where}[{index}]", frozenset())


def _object_faults(spec: dict[str, Spec], value: Any, where: str, nullable: frozenset[str]) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} is no object: {value!r}"
        return
    for name in spec.keys() ^ value.keys():
        yield f"{where}.{name} is {'missing' if name in spec else 'not in the contract'}"
    for name in spec.keys() & value.keys():
        if value[name] is None and name in nullable:
            continue
        yield from _faults(spec[name], value[name], f"{where}.{name}", nullable)


def _is(spec: str, value: Any) -> bool:
    kind = spec.split(" ")[0]
    if kind in {"integer", "int64"}:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "object":
        return isinstance(value, dict)
    return isinstance(value, str) and _is_text(kind, value)


def _is_text(kind: str, text: str) -> bool:
    if kind == "uuid":
        return _is_uuid(text)
    if kind == "date-time":
        return bool(_DATE_TIME.match(text)) and datetime.fromisoformat(text) is not None
    if kind == "email":
        return bool(_EMAIL.match(text))
    return kind == "string" or text in kind.split("|")


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
