"""A room, and what its sessions take over from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

import orjson
from pydantic import BeforeValidator, PlainSerializer

from shared.contracts.event import Event
from shared.contracts.people_and_catalog_events import RoomCreated, RoomDeleted, RoomUpdated
from shared.contracts.states import RoomOptions, RoomState
from shared.errors import FieldError, Forbidden, InvalidRequest


def _parsed(stored: object) -> object:
    return orjson.loads(stored) if isinstance(stored, str) else stored


# Whatever a customer keeps with a room. Stored as text: BSON has its own limits for depth, names and numbers.
Meta = Annotated[
    dict[str, Any], BeforeValidator(_parsed), PlainSerializer(lambda meta: orjson.dumps(meta).decode())
]


@dataclass(kw_only=True)
class TagManager:
    container_id: str | None = None
    enabled: bool | None = None


@dataclass(kw_only=True)
class Analytics:
    google_tag_manager: TagManager | None = None


@dataclass(frozen=True, kw_only=True)
class RoomStanding:
    """What all its sessions have of a room, also those that are there already."""

    listed: bool
    unlisted: bool
    disabled_at: datetime | None


@dataclass(kw_only=True)
class Room:
    """`listed` and `registered_only` follow the library: whether public lists show the room, and whether its
    sessions are for registered people only. `name_key` makes names unique in a library, whatever their case;
    by `name_lower` they are found. `preset_id` is that of its automatic sessions, None for the host's
    default. `disabled_at`: since when nobody may come in. `meta` is the customer's own.
    """

    id: str
    version: int = 1
    organization_id: str
    library_id: str
    host_id: str
    name: str | None = None
    name_key: str | None = None
    name_lower: str | None = None
    listed: bool
    registered_only: bool = False
    title: str
    description: str | None = None
    disabled_at: datetime | None = None
    unlisted: bool = False
    preset_id: str | None = None
    options: RoomOptions = field(default_factory=RoomOptions)
    meta: Meta = field(default_factory=dict)
    analytics: Analytics | None = None
    created_at: datetime
    updated_at: datetime

    def __post_init__(self) -> None:
        self._key_name()

    def _key_name(self) -> None:
        self.name_lower = self.name.lower() if self.name else None
        self.name_key = f"{self.library_id}:{self.name_lower}" if self.name else None

    @property
    def enabled(self) -> bool:
        return self.disabled_at is None

    @property
    def standing(self) -> RoomStanding:
        return RoomStanding(listed=self.listed, unlisted=self.unlisted, disabled_at=self.disabled_at)

    def created(self) -> Sequence[Event]:
        return [RoomCreated(room=self.state())]

    def edit(
        self, now: datetime, *, public: bool, enabled: bool | None = None, **changes: object
    ) -> Sequence[Event]:
        """Change the given fields; `public`: whether the library's rooms are in public lists."""
        for name, value in changes.items():
            setattr(self, name, value)
        if enabled is not None and enabled is not self.enabled:
            self.disabled_at = None if enabled else now
        self._key_name()
        self.listed = public and not self.unlisted
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

    def check_enabled(self) -> None:
        """Raises `Forbidden` for a disabled room."""
        if not self.enabled:
            raise Forbidden("The room is disabled", code="room_disabled")

    def state(self) -> RoomState:
        return RoomState.model_validate(self, from_attributes=True)


def changed_options(options: RoomOptions, changes: Mapping[str, object]) -> RoomOptions:
    """The options with these fields changed; None returns to the default.

    Raises `InvalidRequest` if nobody could ever join.
    """
    defaults = RoomOptions.model_fields
    values = {name: defaults[name].default if value is None else value for name, value in changes.items()}
    changed = options.model_copy(update=values)
    if changed.join_from and changed.join_until and changed.join_from >= changed.join_until:
        raise InvalidRequest([FieldError("join_until", "before_join_from", "must be later than join_from")])
    return changed
