"""Libraries and the rooms in them."""

from datetime import datetime
from enum import StrEnum

from shared.contracts.states.state import State


class Visibility(StrEnum):
    PUBLIC = "public"
    UNLISTED = "unlisted"


class LibraryState(State):
    id: str
    version: int
    organization_id: str
    name: str
    visibility: Visibility
    registered_only: bool = False
    is_default: bool


class RoomState(State):
    """A room in full; `version` grows by one with each change."""

    id: str
    version: int
    organization_id: str
    library_id: str
    host_id: str
    title: str
    description: str | None
    created_at: datetime
    updated_at: datetime
