"""A room."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.contracts.event import Event
from shared.contracts.people_and_catalog_events import RoomCreated, RoomDeleted, RoomUpdated
from shared.contracts.states import RoomOptions, RoomState


@dataclass(kw_only=True)
class TagManager:
    container_id: str | None = None
    enabled: bool | None = None


@dataclass(kw_only=True)
class Analytics:
    google_tag_manager: TagManager | None = None


@dataclass(kw_only=True)
class Room:
    """`listed` and `registered_only` follow the library: whether public lists show the room, and whether
    its sessions are for registered people only. `preset_id` is that of its automatic sessions, None for the
    host's default; `meta` is the customer's own.
    """

    id: str
    version: int = 1
    organization_id: str
    library_id: str
    host_id: str
    name: str | None = None
    listed: bool
    registered_only: bool = False
    title: str
    description: str | None = None
    enabled: bool = True
    unlisted: bool = False
    preset_id: str | None = None
    options: RoomOptions = field(default_factory=RoomOptions)
    meta: dict[str, Any] = field(default_factory=dict)
    analytics: Analytics | None = None
    created_at: datetime
    updated_at: datetime

    def created(self) -> Sequence[Event]:
        return [RoomCreated(room=self.state())]

    def edit(self, now: datetime, **changes: object) -> Sequence[Event]:
        """Change the given fields: title, description, analytics."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.updated_at = now
        return [RoomUpdated(room=self.state())]

    def delete(self) -> Sequence[Event]:
        return [RoomDeleted(room=self.state())]

    def follow(self, *, listed: bool, registered_only: bool) -> Sequence[Event]:
        """The library changed."""
        self.registered_only = registered_only
        listed = listed and not self.unlisted
        if self.listed == listed:
            return []
        self.listed = listed
        return [RoomUpdated(room=self.state())]

    def state(self) -> RoomState:
        return RoomState.model_validate(self, from_attributes=True)
