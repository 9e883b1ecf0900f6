"""Who can be added to the stage: people of the organization, viewers of none, and participants."""

from collections.abc import Set
from typing import Protocol

from services.session.identity.accounts.domain import User
from services.session.identity.accounts.repository import UserRepository
from services.session.sessions.access import is_eligible
from services.session.sessions.domain.session import Session
from shared.errors import NotFound
from shared.livekit import LiveKit


class PendingStageRequests(Protocol):
    async def has_asked(self, session_id: str, user_id: str) -> bool:
        """Whether the person waits for a place on stage."""
        ...


class Guests:
    def __init__(self, users: UserRepository, requests: PendingStageRequests, livekit: LiveKit):
        self._users = users
        self._requests = requests
        self._livekit = livekit

    async def get(self, session: Session, user_id: str) -> User:
        """The person. Raises `NotFound` for strangers to this session, `Unavailable`."""
        user = await self._users.find(user_id.lower())
        if user is None or not user.is_active or not await self._takes_part(session, user):
            raise NotFound("There is no such person in this session", code="participant_not_found")
        return user

    async def _takes_part(self, session: Session, user: User) -> bool:
        if is_eligible(user, session) or user.id in {*session.roles, *session.stage}:
            return True
        if await self._requests.has_asked(session.id, user.id):
            return True
        return user.id in await self.present(session.id)

    async def present(self, session_id: str, *, without: str | None = None) -> Set[str]:
        """The users who are connected to the session's room, not counting this one connection."""
        there = await self._livekit.list_participants(session_id)
        return {one.identity.partition(":")[0] for one in there if one.identity != without}
