"""Taking part in a session beside its LiveKit room: who may not join that does nothing else there either."""

from services.session.identity.accounts.repository import UserRepository
from services.session.sessions.domain.session import Session
from services.session.sessions.service import SessionService
from shared.access.identity import Caller
from shared.access.permissions import RolePermissions
from shared.access.session_access import Permission
from shared.contracts.states import UserRole
from shared.errors import Forbidden


class Participation:
    def __init__(self, sessions: SessionService, users: UserRepository):
        self._sessions = sessions
        self._users = users

    async def permitted(
        self, session_id: str, caller: Caller, permission: Permission | None = None
    ) -> tuple[Session, RolePermissions]:
        """The session and what the caller may do in it; raises as `SessionService.permitted`.

        And `Forbidden` for guests where the library admits registered people only.
        """
        session, may = await self._sessions.permitted(session_id, caller, None, permission)
        if caller.role is UserRole.VIEWER:
            await self._check_registered(session, caller.user_id)
        return session, may

    async def readable_by(self, session_id: str, user_id: str) -> Session:
        """The session for this person, bans aside; raises `NotFound`, `Forbidden`."""
        session = await self._sessions.readable(session_id, None)
        await self._check_registered(session, user_id)
        return session

    async def _check_registered(self, session: Session, user_id: str) -> None:
        if not session.registered_only:
            return
        user = await self._users.find(user_id)
        if user is None or user.is_guest:
            raise Forbidden("Only registered people may take part here", code="registration_required")
