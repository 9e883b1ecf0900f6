"""Bodies of requests. What is null is as if it were absent in a new room, and the default in an update."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, TypeAdapter
from pydantic_core import PydanticCustomError

from services.gateway.compat.signalwire.validation import own_error
from services.gateway.compat.signalwire.vocabulary import MemberPermission, VideoLayout, VideoQuality
from shared.http import Body

_LONGEST_META: Final = 2000
_NAME: Final = r"^[A-Za-z0-9_\-]+$"
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATETIME: Final = TypeAdapter(datetime)
_LEAP_SECOND: Final = re.compile(r"(:\d{2}):60")


def _moment(sent: object) -> datetime:
    if isinstance(sent, datetime):
        return sent
    try:
        return _read(sent)
    except ValueError:
        message = "must be a date and time of ISO 8601"
        raise PydanticCustomError(own_error("not_a_datetime"), message) from None


def _read(sent: object) -> datetime:
    """A date alone is its first moment, and without a zone it is UTC; a minute's 61st second, which RFC 3339
    knows, is its 60th. Raises `ValueError`."""
    if not isinstance(sent, str) or not _DATE.match(sent):
        raise ValueError(sent)
    moment = _DATETIME.validate_python(_LEAP_SECOND.sub(r"\1:59", sent))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _short(meta: dict[str, Any]) -> dict[str, Any]:
    try:
        length = len(orjson.dumps(meta).decode())
    except TypeError:
        raise ValueError("has a number of more than 64 bits") from None
    if length > _LONGEST_META:
        raise ValueError(f"is too long (maximum is {_LONGEST_META} characters)")
    return meta


def is_room_name(text: str) -> bool:
    return re.fullmatch(_NAME, text) is not None


VideoMoment = Annotated[datetime, BeforeValidator(_moment)]
RoomName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_NAME)]
DisplayName = Annotated[str, StringConstraints(max_length=200)]
Meta = Annotated[dict[str, Any], AfterValidator(_short)]
Seconds = Annotated[int, Field(ge=1, le=200_000)]


class VideoRoomUpdate(Body):
    """Absent fields keep their values."""

    display_name: DisplayName | None = None
    description: Annotated[str, StringConstraints(max_length=3000)] | None = None
    max_members: Annotated[int, Field(ge=1, le=300)] | None = None
    quality: VideoQuality | None = None
    join_from: VideoMoment | None = None
    join_until: VideoMoment | None = None
    remove_at: VideoMoment | None = None
    remove_after_seconds_elapsed: Seconds | None = None
    layout: VideoLayout | None = None
    record_on_start: bool | None = None
    enable_room_previews: bool | None = None
    meta: Meta | None = None
    sync_audio_video: bool | None = None


class VideoRoomCreate(VideoRoomUpdate):
    name: RoomName


class VideoRoomTokenCreate(Body):
    """`room_display_name`, `room_meta`, `enable_room_previews` and `sync_audio_video` are for a room that is
    created with the token."""

    room_name: RoomName
    user_name: Annotated[str, StringConstraints(max_length=100)] | None = None
    permissions: list[MemberPermission] | None = None
    join_from: VideoMoment | None = None
    join_until: VideoMoment | None = None
    remove_at: VideoMoment | None = None
    remove_after_seconds_elapsed: Seconds | None = None
    join_audio_muted: bool | None = None
    join_video_muted: bool | None = None
    auto_create_room: bool | None = None
    enable_room_previews: bool | None = None
    room_display_name: DisplayName | None = None
    end_room_session_on_leave: bool | None = None
    join_as: Literal["audience", "member"] | None = None
    media_allowed: Literal["all", "video-only", "audio-only"] | None = None
    room_meta: Meta | None = None
    meta: Meta | None = None
    sync_audio_video: bool | None = None
