"""Room tokens; pure."""

from typing import Final

import orjson

from services.gateway.compat.signalwire.bodies import VideoRoomCreate, VideoRoomTokenCreate
from services.gateway.compat.signalwire.vocabulary import HOST_PERMISSIONS, MEDIA

_SAME: Final = ("join_from", "join_until", "remove_at", "remove_after_seconds_elapsed")


def room_of_token(body: VideoRoomTokenCreate) -> VideoRoomCreate:
    """The room that is created with the token if there is none of this name."""
    return VideoRoomCreate(
        name=body.room_name,
        display_name=body.room_display_name,
        meta=body.room_meta,
        enable_room_previews=body.enable_room_previews,
        sync_audio_video=body.sync_audio_video,
    )


def native_token(body: VideoRoomTokenCreate, user_name: str) -> dict[str, object]:
    """The body of POST /rooms/{id}/tokens. The client finds the rest in the participant's metadata."""
    limits = {name: value for name in _SAME if (value := getattr(body, name)) is not None}
    return {
        "name": user_name,
        "role": _role(body),
        "publish": MEDIA[body.media_allowed or "all"],
        "end_session_on_leave": bool(body.end_room_session_on_leave),
        "metadata": _metadata(body),
        **limits,
    }


def _role(body: VideoRoomTokenCreate) -> str:
    if body.join_as == "audience":
        return "audience"
    return "host" if HOST_PERMISSIONS.issubset(body.permissions or ()) else "guest"


def _metadata(body: VideoRoomTokenCreate) -> str:
    return orjson.dumps(
        {
            "join_audio_muted": bool(body.join_audio_muted),
            "join_video_muted": bool(body.join_video_muted),
            "meta": body.meta or {},
        }
    ).decode()
