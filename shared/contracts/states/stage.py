"""Places on stage, and how people ask for them."""

from datetime import datetime
from enum import StrEnum

from shared.contracts.states.state import State


class StageSeat(State):
    """A guest's place on stage: `id` is this stay, `request_id` the hand or join request that it answers."""

    id: str
    name: str
    can_publish_audio: bool = True
    can_publish_video: bool = True
    joined_stage_at: datetime
    request_id: str | None = None


class RequestKind(StrEnum):
    """How somebody asks for a place on stage."""

    HAND = "hand"
    JOIN = "join"


class RequestStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class StageRequestState(State):
    """A raised hand or a join request in full; `version` grows by one with each change."""

    id: str
    version: int
    session_id: str
    kind: RequestKind
    user_id: str
    name: str
    message: str | None
    status: RequestStatus
    created_at: datetime
    updated_at: datetime
    responded_at: datetime | None
