"""Requests for a place on stage, and the answers. Who is on stage is part of the session's state."""

from typing import ClassVar

from shared.contracts.event import Event
from shared.contracts.states import StageRequestState


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
