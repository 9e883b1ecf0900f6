"""What the services answer about one room, as far as it is translated for 100ms's clients."""

from typing import Any

from shared.ids import connection_id
from tests.unit.gateway.signalwire.fixtures import EARLIER, LATER, ROOM_ID, SESSION_ID

RECORDING_ID = "0190b5b0-7c5c-7000-8000-000000000003"
ADA, BEN = (connection_id(SESSION_ID, sid) for sid in ("PA_ada", "PA_ben"))
CODE = "abc-defg-hij"


def native_connection(**changes: object) -> dict[str, Any]:
    return {
        "id": ADA,
        "participant_sid": "PA_ada",
        "session_id": SESSION_ID,
        "user_id": "0190b5b0-7c5c-7000-8000-0000000000ad",
        "external_user_id": "ada-7",
        "name": "Ada",
        "role": "co_host",
        "joined_at": EARLIER,
        "left_at": None,
        "estimated": False,
        **changes,
    }


def native_participant(**changes: object) -> dict[str, Any]:
    track = {"sid": "TR_1", "type": "video", "source": "screen_share", "muted": True}
    return {
        "id": ADA,
        "participant_sid": "PA_ada",
        "identity": "u:s",
        "user_id": "0190b5b0-7c5c-7000-8000-0000000000ad",
        "external_user_id": "ada-7",
        "name": "Ada",
        "role": "host",
        "metadata": '{"hand":1}',
        "joined_at": EARLIER,
        "tracks": [track],
        **changes,
    }


def native_code(**changes: object) -> dict[str, Any]:
    return {
        "code": CODE,
        "room_id": ROOM_ID,
        "role": "guest",
        "enabled": True,
        "created_at": EARLIER,
        "updated_at": LATER,
        **changes,
    }


def native_recording(**changes: object) -> dict[str, Any]:
    return {
        "id": RECORDING_ID,
        "host_id": "u-1",
        "session_id": SESSION_ID,
        "room_id": ROOM_ID,
        "status": "completed",
        "file_path": "recordings/1.mp4",
        "started_at": EARLIER,
        "stop_requested_at": None,
        "finished_at": LATER,
        "duration": 90,
        "file_size": 1000,
        "created_at": EARLIER,
        "updated_at": LATER,
        **changes,
    }


def native_stream(**changes: object) -> dict[str, Any]:
    return {
        "session_id": SESSION_ID,
        "room_id": ROOM_ID,
        "status": "active",
        "hls_url": "https://example.com/live.m3u8",
        "started_at": EARLIER,
        "stopped_at": None,
        "created_at": EARLIER,
        "updated_at": LATER,
        "error": None,
        **changes,
    }
