"""Sessions, the media of their hosts and requests for a place on stage.

Session events carry the full state, so a projection needs no other; who is on stage is part of it.
"""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from shared.contracts.event import Event
from shared.contracts.states import SessionState, StageRequestState


class SessionEvent(Event):
    """Base of the events of one session."""

    session: SessionState

    @property
    def key(self) -> str:
        return self.session.id

    @property
    def owner_id(self) -> str | None:
        return self.session.organization_id


class SessionCreated(SessionEvent):
    name: ClassVar[str] = "session.created.v1"


class SessionUpdated(SessionEvent):
    """The schedule, settings, preset, roles, bans, stage or requested stream of a session changed.

    `session` is its whole state since then.
    """

    name: ClassVar[str] = "session.updated.v1"


class SessionStarted(SessionEvent):
    name: ClassVar[str] = "session.started.v1"


class SessionEnded(SessionEvent):
    """A live session ended; `session.end_reason` says why."""

    name: ClassVar[str] = "session.ended.v1"


class SessionExpired(SessionEvent):
    """A scheduled session's time passed without it being started."""

    name: ClassVar[str] = "session.expired.v1"


class SessionDeleted(SessionEvent):
    name: ClassVar[str] = "session.deleted.v1"


SESSION_EVENTS: Final[tuple[type[SessionEvent], ...]] = (
    SessionCreated,
    SessionUpdated,
    SessionStarted,
    SessionEnded,
    SessionExpired,
    SessionDeleted,
)


class SessionFact(Event):
    """Base of events in a session that are no part of its state."""

    session_id: str

    @property
    def key(self) -> str:
        return self.session_id


class HostMedia(StrEnum):
    VIDEO = "video"
    AUDIO = "audio"


class HostMediaChanged(SessionFact):
    """A host switched their camera (`video`) or microphone (`audio`) on or off."""

    name: ClassVar[str] = "session.host_media_changed.v1"
    user_id: str
    media: HostMedia
    enabled: bool
    changed_at: datetime


class SessionCallRefused(SessionFact):
    """A call of those who run the session was refused with HTTP's `status`, for the reason `code`.

    Who called what is in the envelope. Not published for calls that are not understood, or by strangers.
    """

    name: ClassVar[str] = "session.call_refused.v1"
    status: int
    code: str


class StageRequestEvent(Event):
    """Base of what carries a raised hand or a join request in full."""

    request: StageRequestState

    @property
    def key(self) -> str:
        return self.request.session_id


class HandRaised(StageRequestEvent):
    """Also published again if the message of a raised hand changed."""

    name: ClassVar[str] = "hand.raised.v1"


class HandLowered(StageRequestEvent):
    """The person lowered the hand before it was answered."""

    name: ClassVar[str] = "hand.lowered.v1"


class HandAnswered(StageRequestEvent):
    """Approved or rejected, as `request.status` says."""

    name: ClassVar[str] = "hand.answered.v1"


class JoinRequestCreated(StageRequestEvent):
    name: ClassVar[str] = "join_request.created.v1"


class JoinRequestAnswered(StageRequestEvent):
    """Approved or rejected, as `request.status` says."""

    name: ClassVar[str] = "join_request.answered.v1"
