"""HTTP bodies and data about rooms."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from services.session.catalog.rooms.domain import Analytics, TagManager
from services.session.identity.accounts.schemas import UserResponse
from shared.http import Body, Data
from shared.http.schema import Line, Text, Title


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


class CreateRoomRequest(Body):
    title: Title
    description: Text | None = None
    analytics: AnalyticsBody | None = None


class UpdateRoomRequest(Body):
    title: Title = ""
    description: Text | None = None
    analytics: AnalyticsBody | None = None

    def changes(self) -> dict[str, object]:
        """The fields to change: those that were sent; null clears."""
        changes: dict[str, object] = {name: getattr(self, name) for name in self.model_fields_set}
        if self.analytics is not None:
            changes["analytics"] = self.analytics.analytics()
        return changes


class TagManagerResponse(Data):
    container_id: str | None
    enabled: bool | None


class RoomAnalytics(Data):
    google_tag_manager: TagManagerResponse | None


class RoomResponse(Data):
    id: str
    host_id: str
    host: UserResponse | None
    library_id: str
    title: str
    description: str | None
    analytics: RoomAnalytics | None
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
