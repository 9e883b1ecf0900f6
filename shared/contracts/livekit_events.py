"""LiveKit's webhooks in our words, as the egress service publishes them.

They are keyed by LiveKit's ids and commute: each may arrive late, twice or out of order.
"""

from datetime import datetime
from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict

from shared.contracts.event import Event
from shared.contracts.states import Role


class LiveKitEvent(Event):
    """Base: `session_id` is the LiveKit room's name, `occurred_at` the best time LiveKit gives."""

    session_id: str
    occurred_at: datetime

    @property
    def key(self) -> str:
        return self.session_id


class LiveKitRoomStarted(LiveKitEvent):
    name: ClassVar[str] = "livekit_room.started.v1"
    room_sid: str


class LiveKitRoomFinished(LiveKitEvent):
    name: ClassVar[str] = "livekit_room.finished.v1"
    room_sid: str


class Connection(BaseModel):
    """One connection of a person to a session's room.

    `identity` is `<user_id>:<sign-in id>`; `role` comes from the join token's attributes; `hidden`
    marks monitors, `recorder` recorders, `kind` is LiveKit's participant kind in lower case
    (standard, ingress, egress, sip, agent, connector); `issued_at` is when their token was issued, if known,
    `key_id` the API key that let them in, if one did; a guest gave a display name only. `external_user_id` is
    the customer's own id of the person; they are to be removed at `remove_at`, and `remove_after` seconds
    after their first join; `ends_session`: the session ends when they leave.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    participant_sid: str
    identity: str
    user_id: str
    username: str
    role: Role
    hidden: bool = False
    recorder: bool = False
    kind: str = "standard"
    joined_at: datetime
    issued_at: datetime | None = None
    key_id: str | None = None
    is_guest: bool = False
    external_user_id: str | None = None
    remove_at: datetime | None = None
    remove_after: int | None = None
    ends_session: bool = False


class ParticipantEvent(LiveKitEvent):
    """`room_sid` is LiveKit's id of one opening of the room; null if LiveKit did not give it."""

    connection: Connection
    room_sid: str | None = None


class ParticipantJoined(ParticipantEvent):
    name: ClassVar[str] = "participant.joined.v1"


class ParticipantLeft(ParticipantEvent):
    """The connection ended at `occurred_at`; `reason` is LiveKit's disconnect reason in lower case."""

    name: ClassVar[str] = "participant.left.v1"
    reason: str | None = None


class ParticipantConnectionAborted(ParticipantEvent):
    """A connection that never became active; it is closed, and no `ParticipantLeft` follows."""

    name: ClassVar[str] = "participant.connection_aborted.v1"
    reason: str | None = None


PARTICIPANT_EVENTS: Final[tuple[type[ParticipantEvent], ...]] = (
    ParticipantJoined,
    ParticipantLeft,
    ParticipantConnectionAborted,
)


class TrackEvent(LiveKitEvent):
    """`type` is audio, video or data; `source` LiveKit's: camera, screen_share, …, unknown."""

    participant_sid: str
    identity: str
    user_id: str
    track_sid: str
    type: str
    source: str


class TrackPublished(TrackEvent):
    name: ClassVar[str] = "track.published.v1"


class TrackUnpublished(TrackEvent):
    name: ClassVar[str] = "track.unpublished.v1"


class FileResult(BaseModel):
    """A file that an egress wrote: its path, size in bytes and duration in seconds.

    `started_at` is when the first of its media came.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    filename: str
    size: int
    duration: float
    started_at: datetime | None = None


class EgressEvent(LiveKitEvent):
    """`status` is LiveKit's egress status in lower case (starting, active, ending, complete, failed, …).

    `egress_key` is our own name of the egress, null if it is not ours; `details` is further information from
    the engine, for people; `files` are set once it is over.
    """

    egress_id: str
    status: str
    error: str | None = None
    egress_key: str | None = None
    details: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    files: tuple[FileResult, ...] = ()
    segment_count: int | None = None


class EgressStarted(EgressEvent):
    name: ClassVar[str] = "egress.started.v1"


class EgressUpdated(EgressEvent):
    name: ClassVar[str] = "egress.updated.v1"


class EgressEnded(EgressEvent):
    name: ClassVar[str] = "egress.ended.v1"


class IngressEvent(LiveKitEvent):
    """`status` is LiveKit's in lower case: inactive, buffering, publishing, error, complete."""

    ingress_id: str
    status: str
    error: str | None = None


class IngressStarted(IngressEvent):
    name: ClassVar[str] = "ingress.started.v1"


class IngressEnded(IngressEvent):
    name: ClassVar[str] = "ingress.ended.v1"
