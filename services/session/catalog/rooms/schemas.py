"""HTTP bodies and data about rooms."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import AfterValidator, Field, StringConstraints

from services.session.catalog.rooms.domain import Analytics, TagManager
from services.session.catalog.rooms.repository import RoomFilter
from services.session.identity.accounts.schemas import UserResponse
from shared.contracts.states import Layout, Quality, RoomOptions
from shared.http import Body, Data
from shared.http.schema import Id, Line, Moment, Page, Text, Title


class TagManagerBody(Body):
    container_id: Annotated[Line, Field(max_length=100)] | None = None
    enabled: bool | None = None


class AnalyticsBody(Body):
    google_tag_manager: TagManagerBody | None = None

    def analytics(self) -> Analytics:
        manager = self.google_tag_manager
        if manager is None:
            return Analytics()
        return Analytics(
            google_tag_manager=TagManager(container_id=manager.container_id, enabled=manager.enabled)
        )


_LARGEST_META: Final = 16 * 1024


def _small(meta: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(orjson.dumps(meta))
    except orjson.JSONEncodeError as error:
        raise ValueError("must have numbers of 64 bits and be nested less deep") from error
    if size > _LARGEST_META:
        raise ValueError(f"must be at most {_LARGEST_META} bytes as JSON")
    return meta


RoomName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]
MetaBody = Annotated[dict[str, Any], AfterValidator(_small)]
_FLAGS: Final = frozenset({"enabled", "unlisted"})


class RoomSettingsBody(Body):
    """What both bodies may set; absent fields are kept, null returns to the default.

    `name` is unique in the library, whatever its case. A room that is not `enabled` lets nobody in; one that
    is `unlisted` is in no public list. `preset_id`: that of its automatic sessions. The others are for the
    sessions that are created from then on, and an automatic one that nobody has joined yet: `auto_session`
    creates one with the first join token issued, it starts with the first participant and ends with the last;
    `join_from`, `join_until`: when people may join; they are removed at `remove_at` and
    `remove_after_seconds_elapsed` after their first join; `max_members` in the room at most;
    `record_on_start`; `layout`, `fps`, `quality` of streams and recordings.
    """

    description: Text | None = None
    analytics: AnalyticsBody | None = None
    name: RoomName | None = None
    enabled: bool | None = None
    unlisted: bool | None = None
    preset_id: Id | None = None
    meta: MetaBody | None = None
    auto_session: bool | None = None
    join_from: Moment | None = None
    join_until: Moment | None = None
    remove_at: Moment | None = None
    remove_after_seconds_elapsed: Annotated[int, Field(ge=1, le=200_000)] | None = None
    max_members: Annotated[int, Field(ge=1, le=20_000)] | None = None
    record_on_start: bool | None = None
    layout: Layout | None = None
    fps: Literal[20, 30] | None = None
    quality: Quality | None = None

    def options(self) -> dict[str, object]:
        """The options to change."""
        return self.model_dump(include=self.model_fields_set & RoomOptions.model_fields.keys())

    def changes(self) -> dict[str, Any]:
        """The other fields to change: those that were sent; null clears."""
        sent = self.model_fields_set - RoomOptions.model_fields.keys()
        changes: dict[str, Any] = {name: getattr(self, name) for name in sent}
        if self.analytics is not None:
            changes["analytics"] = self.analytics.analytics()
        if "meta" in sent:
            changes["meta"] = self.meta or {}
        return changes | {name: name == "enabled" for name in sent & _FLAGS if changes[name] is None}


class CreateRoomRequest(RoomSettingsBody):
    title: Title


class UpdateRoomRequest(RoomSettingsBody):
    title: Title = ""


class MyRoomsQuery(Page):
    """`name` is compared whatever its case, times are inclusive. `cursor` is the id of the last room of the
    page before."""

    name: Annotated[str, Field(max_length=100)] | None = None
    enabled: bool | None = None
    preset_id: Id | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None
    join_from_after: Moment | None = None
    join_until_before: Moment | None = None
    cursor: Id | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 10

    def filter(self) -> RoomFilter:
        return RoomFilter(**self.model_dump(exclude={"page", "limit"}))


class TagManagerResponse(Data):
    container_id: str | None
    enabled: bool | None


class RoomAnalytics(Data):
    google_tag_manager: TagManagerResponse | None


class RoomOptionsResponse(Data):
    """What sessions take over from their room."""

    auto_session: bool
    join_from: datetime | None
    join_until: datetime | None
    remove_at: datetime | None
    remove_after_seconds_elapsed: int | None
    max_members: int | None
    record_on_start: bool
    layout: Layout | None
    fps: int | None
    quality: Quality | None


class RoomResponse(RoomOptionsResponse):
    id: str
    host_id: str
    host: UserResponse | None
    library_id: str
    name: str | None
    title: str
    description: str | None
    analytics: RoomAnalytics | None
    enabled: bool
    unlisted: bool
    preset_id: str | None
    meta: dict[str, Any]
    active_session_id: str | None
    created_at: datetime
    updated_at: datetime


class CreateRoomResponse(Data):
    room: RoomResponse


class RoomListResponse(Data):
    rooms: list[RoomResponse]
    total: int
    page: int
    limit: int


class MyRoomsResponse(RoomListResponse):
    """`next_cursor` is for the page that follows; null after the last."""

    next_cursor: str | None
