"""Which of a session's entries its host asks for."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from shared.livekit.ports import NOT_COUNTED
from shared.persistence.mongo import Document

# Where the events have the people whom they are about.
_PEOPLE: Final = ("data.user_id", "data.connection.user_id", "data.request.user_id")


@dataclass(frozen=True, kw_only=True)
class EventFilter:
    """Entries of these names with all that is given, but for monitors, recorders and machines."""

    names: Collection[str]
    user_id: str | None = None
    external_user_id: str | None = None
    connection_id: str | None = None
    recording_id: str | None = None

    def query(self) -> Document:
        equal = {
            "data.connection.external_user_id": self.external_user_id,
            "connection_id": self.connection_id,
            "data.recording.id": self.recording_id,
        }
        query: Document = {name: value for name, value in equal.items() if value is not None}
        if self.user_id is not None:
            query["$or"] = [{place: self.user_id} for place in _PEOPLE]
        return query | {
            "name": {"$in": sorted(self.names)},
            "data.connection.hidden": {"$ne": True},
            "data.connection.recorder": {"$ne": True},
            "data.connection.kind": {"$nin": sorted(NOT_COUNTED)},
        }
