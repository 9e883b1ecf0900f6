"""Bans as they are shown."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from services.session.identity.accounts.domain import User
from services.session.identity.accounts.repository import UserRepository
from services.session.identity.accounts.schemas import sees_email
from services.session.sessions.domain.session import Session
from shared.access.identity import Caller
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


class BanPresenter:
    def __init__(self, users: UserRepository):
        self._users = users

    async def one(self, session: Session, user_id: str, viewer: Caller) -> BannedParticipantResponse:
        return (await self.many(session, [user_id], viewer))[0]

    async def many(
        self, session: Session, user_ids: Sequence[str], viewer: Caller
    ) -> list[BannedParticipantResponse]:
        """The bans of these people, with one read."""
        by = [session.bans[id_].banned_by for id_ in user_ids]
        users = await self._users.find_many(sorted({*user_ids, *by}))
        return [_response(session, id_, users, viewer) for id_ in user_ids]


def _response(
    session: Session, user_id: str, users: Mapping[str, User], viewer: Caller
) -> BannedParticipantResponse:
    ban = session.bans[user_id]
    return BannedParticipantResponse.of(
        ban,
        session_id=session.id,
        user_id=user_id,
        user=_user(users.get(user_id), session, viewer),
        banned_by_user=_user(users.get(ban.banned_by), session, viewer),
    )


def _user(user: User | None, session: Session, viewer: Caller) -> BanUserResponse | None:
    """Nothing of people of other organizations, who may be banned as everybody."""
    if user is None or user.organization_id not in {None, session.organization_id}:
        return None
    return BanUserResponse.of(user, email=user.email if sees_email(user, viewer) else None)
