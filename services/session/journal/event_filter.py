"""Which of a session's entries its host asks for."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from shared.access.encoders import IDENTITY_PATTERN
from shared.access.room_permissions import STANDARD
from shared.persistence.mongo import Document

# Where the events have the people whom they are about.
USER_OF_CONNECTION: Final = "data.connection.user_id"
_PEOPLE: Final = (
    USER_OF_CONNECTION,
    "data.user_id",
    "data.request.user_id",
    "data.poll.user_id",
    "data.deletion.user_id",
)
# What `is_visible_person` says of a connection, of what is stored: entries of any release have all of it.
_OF_PEOPLE: Final = {
    "data.connection.hidden": {"$ne": True},
    "data.connection.recorder": {"$ne": True},
    "data.connection.kind": {"$in": [None, STANDARD]},
    "data.connection.identity": {"$not": {"$regex": IDENTITY_PATTERN}},
    "data.identity": {"$not": {"$regex": IDENTITY_PATTERN}},
}


@dataclass(frozen=True, kw_only=True)
class EventFilter:
    """Entries of these names with all that is given, but for monitors, recorders, machines and encoders."""

    names: Collection[str]
    user_id: str | None = None
    external_user_id: str | None = None
    connection_id: str | None = None
    recording_id: str | None = None

    def people_query(self) -> Document:
        """The entries that say who has `external_user_id`: those of their connections."""
        query = {USER_OF_CONNECTION: self.user_id, "data.connection.external_user_id": self.external_user_id}
        return {name: value for name, value in query.items() if value is not None}

    def query(self, people: Collection[str] | None) -> Document:
        """`people` are the ids of the users whom the entries are about; None for all of them."""
        equal = {"connection_id": self.connection_id, "data.recording.id": self.recording_id}
        query: Document = {name: value for name, value in equal.items() if value is not None}
        if people is not None:
            query["$or"] = [{place: {"$in": sorted(people)}} for place in _PEOPLE]
        return query | {"name": {"$in": sorted(self.names)}} | _OF_PEOPLE
