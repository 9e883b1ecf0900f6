"""What the services answer, as far as it is translated."""

from typing import Any

ROOM_ID = "0190b5b0-7c5c-7000-8000-000000000001"
SESSION_ID = "0190b5b0-7c5c-7000-8000-000000000002"
EARLIER, LATER = "2026-03-01T10:00:00Z", "2026-03-01T10:01:30Z"


def native_room(**changes: object) -> dict[str, Any]:
    return {
        "id": ROOM_ID,
        "host_id": "u-1",
        "name": "standup",
        "title": "standup",
        "description": None,
        "enabled": True,
        "unlisted": True,
        "auto_session": True,
        "join_from": None,
        "join_until": None,
        "remove_at": None,
        "remove_after_seconds_elapsed": None,
        "max_members": 20,
        "record_on_start": False,
        "layout": "grid",
        "fps": None,
        "quality": "720p",
        "meta": {},
        "active_session_id": None,
        "created_at": EARLIER,
        "updated_at": LATER,
        **changes,
    }


def native_session(**changes: object) -> dict[str, Any]:
    options = {
        "auto_session": True,
        "join_from": None,
        "join_until": None,
        "remove_at": None,
        "remove_after_seconds_elapsed": 600,
        "max_members": 12,
        "record_on_start": True,
        "layout": "speaker",
        "fps": None,
        "quality": "1080p",
    }
    return {
        "id": SESSION_ID,
        "host_id": "u-1",
        "room_id": ROOM_ID,
        "room_name": "standup",
        "title": "standup",
        "status": "live",
        "started_at": EARLIER,
        "ended_at": None,
        "duration": None,
        "preview_url": None,
        "options": options,
        "meta": {},
        "created_at": EARLIER,
        "updated_at": LATER,
        **changes,
    }
