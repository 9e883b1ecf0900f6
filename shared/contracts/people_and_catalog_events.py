"""Users, libraries, rooms and presets: their events carry the full state."""

from typing import ClassVar

from shared.contracts.event import Event
from shared.contracts.states import LibraryState, PresetState, RoomState, UserState


class RoomEvent(Event):
    in_session: ClassVar[bool] = False
    room: RoomState

    @property
    def key(self) -> str:
        return self.room.id

    @property
    def owner_id(self) -> str | None:
        return self.room.organization_id


class RoomCreated(RoomEvent):
    name: ClassVar[str] = "room.created.v1"


class RoomUpdated(RoomEvent):
    name: ClassVar[str] = "room.updated.v1"


class RoomDeleted(RoomEvent):
    name: ClassVar[str] = "room.deleted.v1"


class PresetEvent(Event):
    in_session: ClassVar[bool] = False
    preset: PresetState

    @property
    def key(self) -> str:
        return self.preset.id

    @property
    def owner_id(self) -> str | None:
        return self.preset.organization_id


class PresetCreated(PresetEvent):
    name: ClassVar[str] = "preset.created.v1"


class PresetUpdated(PresetEvent):
    name: ClassVar[str] = "preset.updated.v1"


class PresetDeleted(PresetEvent):
    name: ClassVar[str] = "preset.deleted.v1"


class UserEvent(Event):
    in_session: ClassVar[bool] = False
    user: UserState

    @property
    def key(self) -> str:
        return self.user.id

    @property
    def owner_id(self) -> str | None:
        return self.user.organization_id


class UserRegistered(UserEvent):
    name: ClassVar[str] = "user.registered.v1"


class UserUpdated(UserEvent):
    name: ClassVar[str] = "user.updated.v1"


class LibraryEvent(Event):
    in_session: ClassVar[bool] = False
    library: LibraryState

    @property
    def key(self) -> str:
        return self.library.id

    @property
    def owner_id(self) -> str | None:
        return self.library.organization_id


class LibraryCreated(LibraryEvent):
    name: ClassVar[str] = "library.created.v1"


class LibraryUpdated(LibraryEvent):
    name: ClassVar[str] = "library.updated.v1"
