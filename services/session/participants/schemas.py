"""HTTP bodies and data about those who have a role in a session."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.session.identity.accounts.schemas import UserResponse
from shared.http import Body, Data
from shared.http.schema import PAGE_LIMIT, Id, Page


class AddParticipantRoleRequest(Body):
    user_id: Id


class ParticipantQuery(Page):
    limit: Annotated[int, Field(ge=1, le=PAGE_LIMIT)] = PAGE_LIMIT


class SessionParticipantResponse(Data):
    """`joined_at` and `left_at` are the person's in the session; the users are null if their accounts were
    deleted."""

    id: str
    session_id: str
    user_id: str
    username: str
    user: UserResponse | None
    role: Literal["co_host", "moderator"]
    is_active: bool
    assigned_at: datetime
    joined_at: datetime | None
    assigned_by: str
    assigned_by_user: UserResponse | None
    removed_at: datetime | None
    left_at: datetime | None


class SessionParticipantsListResponse(Data):
    participants: list[SessionParticipantResponse]
    total: int
