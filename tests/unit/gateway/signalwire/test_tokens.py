"""What a room token asks of the session service."""

from typing import Any

import orjson
import pytest

from services.gateway.compat.signalwire.bodies import VideoRoomTokenCreate
from services.gateway.compat.signalwire.token_translation import native_token, room_of_token
from services.gateway.compat.signalwire.vocabulary import HOST_PERMISSIONS


def token(**fields: object) -> dict[str, Any]:
    return native_token(VideoRoomTokenCreate.model_validate({"room_name": "standup", **fields}), "Ada")


def test_a_token_for_a_room_alone_is_a_member_s() -> None:
    made = token()
    assert orjson.loads(made.pop("metadata")) == {
        "join_audio_muted": False,
        "join_video_muted": False,
        "meta": {},
    }
    assert made == {"name": "Ada", "role": "guest", "publish": "all", "end_session_on_leave": False}


@pytest.mark.parametrize(
    ("fields", "role"),
    [
        ({"join_as": "member"}, "guest"),
        ({"join_as": "audience"}, "audience"),
        ({"permissions": ["room.self.audio_mute", "room.member.audio_mute"]}, "guest"),
        ({"permissions": sorted(HOST_PERMISSIONS - {"room.recording"})}, "guest"),
        ({"permissions": [*sorted(HOST_PERMISSIONS), "room.self.screenshare"]}, "host"),
        ({"permissions": sorted(HOST_PERMISSIONS), "join_as": "audience"}, "audience"),
        ({"permissions": []}, "guest"),
    ],
)
def test_the_role_follows_from_permissions_and_join_as(fields: dict[str, object], role: str) -> None:
    assert token(**fields)["role"] == role


@pytest.mark.parametrize(
    ("media_allowed", "publish"),
    [("all", "all"), ("audio-only", "audio"), ("video-only", "video"), (None, "all")],
)
def test_media_allowed_is_what_may_be_published(media_allowed: str | None, publish: str) -> None:
    assert token(media_allowed=media_allowed)["publish"] == publish


def test_limits_and_metadata_are_passed_on() -> None:
    made = token(
        remove_after_seconds_elapsed=60,
        join_until="2030-01-31T20:00:00Z",
        end_room_session_on_leave=True,
        join_video_muted=True,
        meta={"seat": 4},
    )
    assert made["remove_after_seconds_elapsed"] == 60
    assert made["join_until"].isoformat() == "2030-01-31T20:00:00+00:00"
    assert made["end_session_on_leave"] is True
    assert orjson.loads(made["metadata"]) == {
        "join_audio_muted": False,
        "join_video_muted": True,
        "meta": {"seat": 4},
    }


def test_the_room_that_is_created_with_it() -> None:
    body = VideoRoomTokenCreate(
        room_name="standup", room_display_name="Daily", room_meta={"a": 1}, enable_room_previews=True
    )
    room = room_of_token(body)
    assert (room.name, room.display_name, room.meta) == ("standup", "Daily", {"a": 1})
    assert (room.enable_room_previews, room.sync_audio_video) == (True, None)
