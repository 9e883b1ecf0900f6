"""Bodies that create and change rooms."""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from shared.http import Body
from shared.http.schema import Id

_LARGEST: Final = 2500
_LARGEST_OF_LARGE: Final = 20_000

RoomName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]

PollId = Annotated[str, StringConstraints(max_length=100)]


def size_problem(size: int, *, large: bool) -> str | None:
    """What is wrong with the size of a room that is large or not."""
    most = _LARGEST_OF_LARGE if large or size > _LARGEST_OF_LARGE else _LARGEST
    return f"room size greater than {most}" if size > most else None


class UploadOptions(Body):
    region: Annotated[str, StringConstraints(max_length=100)] | None = None


class UploadInfo(Body):
    """Where recordings were to go; credentials are not kept."""

    type: Literal["s3", "gs", "oss", "azure"]
    location: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    prefix: Annotated[str, StringConstraints(max_length=1000)] | None = None
    options: UploadOptions | None = None


class RecordingInfo(Body):
    enabled: bool | None = None
    upload_info: UploadInfo | None = None


class Webhook(Body):
    """Its headers, which may be secrets, are not kept."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class HundredMsRoomUpdate(Body):
    """Absent fields keep their values."""

    name: RoomName | None = None
    enabled: bool | None = None
    description: Annotated[str, StringConstraints(max_length=10_000)] | None = None
    recording_info: RecordingInfo | None = None
    region: Literal["eu", "in", "us", "auto"] | None = None
    large_room: bool | None = None
    size: Annotated[int, Field(ge=0)] | None = None
    max_duration_seconds: Annotated[int, Field(ge=120, le=43_200)] | None = None
    polls: Annotated[list[PollId], Field(max_length=100)] | None = None
    webhook: Webhook | None = None


class HundredMsRoomCreate(HundredMsRoomUpdate):
    """`template` is the name of a template in earlier versions, which was refused later."""

    template_id: Id | None = None
    template: str | None = None
