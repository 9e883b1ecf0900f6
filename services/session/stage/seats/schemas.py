"""HTTP bodies and data about the stage."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from services.session.identity.accounts.schemas import Username
from services.session.sessions.domain.session import Session
from shared.access.room_permissions import user_of
from shared.contracts.states import StageSeat
from shared.http import Body, Data
from shared.http.schema import Line

# A person's user id, or one of their identities in LiveKit.
Identity = Annotated[Line, Field(min_length=1, max_length=255), AfterValidator(user_of)]


class AddToStageRequest(Body):
    """`name` defaults to the person's own; by default they may publish all that guests may."""

    participant_identity: Identity
    participant_name: Username | None = None
    can_publish_audio: bool | None = None
    can_publish_video: bool | None = None


class RemoveFromStageRequest(Body):
    participant_identity: Identity


class UpdateStagePermissionsRequest(Body):
    """Absent fields are kept, null allows again."""

    can_publish_audio: bool | None = None
    can_publish_video: bool | None = None

    def granted(self, name: str) -> bool | None:
        """The requested permissions; None keeps."""
        if name not in self.model_fields_set:
            return None
        value: bool | None = getattr(self, name)
        return value is not False


class StageParticipantResponse(Data):
    id: str
    session_id: str
    participant_identity: str
    participant_name: str
    can_publish_audio: bool
    can_publish_video: bool
    joined_stage_at: datetime
    left_stage_at: datetime | None


class StageResponse(Data):
    participants: list[StageParticipantResponse]
    total: int


def stage_participant(session: Session, user_id: str, seat: StageSeat) -> StageParticipantResponse:
    """Who is on stage has not left it."""
    return StageParticipantResponse.of(
        seat,
        session_id=session.id,
        participant_identity=user_id,
        participant_name=seat.name,
        left_stage_at=None,
    )
