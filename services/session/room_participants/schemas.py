"""HTTP bodies and data about the people in a room."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from services.session.identity.accounts.schemas import Username
from services.session.room_participants.messages import RoomMessage
from services.session.room_participants.service import ParticipantUpdate
from shared.contracts.states import Role
from shared.http import Body, Data, Query
from shared.http.schema import Id, Line, Text

# As LiveKit hands it to everybody in the room, which cannot be made empty again.
_Metadata = Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class UpdateRoomParticipantRequest(Body):
    """What is absent or null is kept. `metadata` is text of the customer's own, often JSON."""

    name: Username | None = None
    metadata: _Metadata | None = None
    role: Literal["co_host", "moderator", "stage", "audience"] | None = None

    def update(self) -> ParticipantUpdate:
        return ParticipantUpdate(self.name, self.metadata, Role(self.role) if self.role else None)


class RemovalQuery(Query):
    """`reason`: what those who are removed are told."""

    reason: Annotated[Text, Field(max_length=500)] | None = None


class RoleRemovalQuery(RemovalQuery):
    role: Role


class RoomMessageRequest(Body):
    """To one connection, to those in a role, or to everybody; a connection outranks a role."""

    message: Annotated[Text, Field(min_length=1, max_length=4000)]
    type: Annotated[Line, Field(min_length=1, max_length=50)] = "message"
    connection_id: Id | None = None
    role: Role | None = None

    def room_message(self) -> RoomMessage:
        return RoomMessage(self.message, self.type, self.connection_id, self.role)


class RoomTrackResponse(Data):
    """A published track; `type` and `source` are LiveKit's in lower case."""

    sid: str
    type: str
    source: str
    muted: bool


class RoomParticipantResponse(Data):
    """One connection of a person; `id` is also the one in the session's connections.

    `external_user_id` is the customer's, null without one; `metadata` is empty without any.
    """

    id: str
    participant_sid: str
    identity: str
    user_id: str
    external_user_id: str | None
    name: str
    role: Role
    metadata: str
    joined_at: datetime
    tracks: list[RoomTrackResponse]


class RoomParticipantsResponse(Data):
    participants: list[RoomParticipantResponse]


class RemovedParticipantsResponse(Data):
    """How many were disconnected."""

    removed: int
