"""Those who have or had a role in a session, as they are shown."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.session.identity.accounts.domain import User
from services.session.identity.accounts.repository import UserRepository
from services.session.identity.accounts.schemas import UserResponse, user_response
from services.session.sessions.domain.session import Session
from shared.access.identity import Caller
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


class ParticipantPresenter:
    def __init__(self, users: UserRepository):
        self._users = users

    async def one(self, session: Session, user_id: str, viewer: Caller) -> SessionParticipantResponse:
        return (await self.many(session, [user_id], viewer))[0]

    async def many(
        self, session: Session, user_ids: Sequence[str], viewer: Caller
    ) -> list[SessionParticipantResponse]:
        """Those of the session's assignments, with one read."""
        by = [session.assignments[id_].assigned_by for id_ in user_ids]
        users = await self._users.find_many(sorted({*user_ids, *by}))
        return [_response(session, id_, users, viewer) for id_ in user_ids]


def _response(
    session: Session, user_id: str, users: Mapping[str, User], viewer: Caller
) -> SessionParticipantResponse:
    assignment = session.assignments[user_id]
    user = users.get(user_id)
    return SessionParticipantResponse.of(
        assignment,
        session_id=session.id,
        user_id=user_id,
        username=user.username if user else assignment.username,
        user=_user(user, viewer),
        assigned_by_user=_user(users.get(assignment.assigned_by), viewer),
    )


def _user(user: User | None, viewer: Caller) -> UserResponse | None:
    return user_response(user, viewer) if user else None
