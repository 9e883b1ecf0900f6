"""HTTP bodies and data about bans."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from shared.http import Body, Data
from shared.http.schema import Id, Text


class BanParticipantRequest(Body):
    user_id: Id
    reason: Annotated[Text, Field(max_length=500)] | None = None


class BanUserResponse(Data):
    id: str
    username: str
    email: str | None


class BannedParticipantResponse(Data):
    """The users are null if their accounts were deleted or belong to another organization."""

    id: str
    session_id: str
    user_id: str
    user: BanUserResponse | None
    banned_by: str
    banned_by_user: BanUserResponse | None
    reason: str | None
    banned_at: datetime


class BannedParticipantsListResponse(Data):
    banned_participants: list[BannedParticipantResponse]
    total: int


class BanStatusResponse(Data):
    banned: bool
    reason: str | None
    banned_at: datetime | None
