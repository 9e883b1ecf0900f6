"""Giving and taking the roles of co-host and moderator."""

from services.session.participants.presenter import (
    ParticipantPresenter,
    ParticipantQuery,
    SessionParticipantResponse,
    SessionParticipantsListResponse,
)
from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.roles import RoleGrant, grant_role, revoke_role
from services.session.sessions.repository import SessionRepository
from shared.access.identity import Caller
from shared.access.session_access import Permission
from shared.clock import Clock
from shared.contracts.states import Role

# What giving a role takes; to take one away is its host's in any case.
_TO_GIVE: dict[Role, Permission] = {Role.CO_HOST: "add_co_host", Role.MODERATOR: "control"}


class ParticipantService:
    def __init__(
        self,
        sessions: SessionRepository,
        access: SessionAccess,
        presenter: ParticipantPresenter,
        clock: Clock,
    ):
        self._sessions = sessions
        self._access = access
        self._presenter = presenter
        self._clock = clock

    async def add(
        self, session_id: str, caller: Caller, user_id: str, role: Role, id: str
    ) -> SessionParticipantResponse:
        """Give the person the role, under the reserved `id`. Raises `NotFound`, `Forbidden`, `Conflict`."""
        session, _ = await self._access.authorize(session_id, caller, permission=_TO_GIVE[role])
        user = await self._access.get_eligible_user(session, user_id)
        given = RoleGrant(
            id=id,
            user_id=user.id,
            username=user.username,
            role=role,
            by=caller.user_id,
            device_id=user.device,
        )
        session = await self._sessions.change(
            session.id, lambda session: grant_role(session, self._clock.now(), given)
        )
        return await self._presenter.one(session, user.id, caller)

    async def remove(self, session_id: str, caller: Caller, user_id: str, role: Role) -> None:
        """Revoke the person's role. Raises `NotFound` if they do not have it."""
        session = await self._access.get_for_host(session_id, caller)
        await self._sessions.change(
            session.id, lambda session: revoke_role(session, self._clock.now(), user_id, role)
        )

    async def list(
        self, session_id: str, caller: Caller, page: ParticipantQuery
    ) -> SessionParticipantsListResponse:
        """Everybody who has or had a role, in the order in which it was granted."""
        session, _ = await self._access.authorize(session_id, caller, permission="see_participants")
        listed = sorted(session.assignments, key=lambda id_: (session.assignments[id_].assigned_at, id_))
        shown = listed[page.skip : page.skip + page.limit]
        return SessionParticipantsListResponse(
            participants=await self._presenter.many(session, shown, caller), total=len(listed)
        )
