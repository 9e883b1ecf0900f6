"""Which session a call works on, and what its caller may do in it."""

from services.session.access.ownership import require_library
from services.session.identity.accounts.domain import User
from services.session.identity.accounts.repository import UserRepository
from services.session.sessions.domain.session import Session
from services.session.sessions.repository import SessionRepository
from shared.access.identity import Caller
from shared.access.permissions import RolePermissions
from shared.access.session_access import Permission, require
from shared.contracts.states import UserRole
from shared.errors import Forbidden, NotFound
from shared.ids import is_id


class SessionAccess:
    def __init__(self, sessions: SessionRepository, users: UserRepository):
        self._sessions = sessions
        self._users = users

    async def get_in_library(self, id: str, library_id: str | None) -> Session:
        """The session for anybody who knows its id; raises `NotFound` if it is in another library."""
        session = await self._sessions.get(id)
        require_library(session, library_id)
        return session

    async def authorize(
        self, id: str, caller: Caller, library_id: str | None = None, permission: Permission | None = None
    ) -> tuple[Session, RolePermissions]:
        """The session and what the caller may do in it, `permission` included if one is given.

        Every operation on a session is authorized here. Raises as `shared.access.session_access.require`,
        and `NotFound` if there is no such session.
        """
        if not is_id(id):
            raise NotFound(f"There is no session {id}", code="session_not_found")
        session = await self._sessions.get(id.lower())
        return session, require(session, session.preset.settings, caller, library_id, permission)

    async def get_for_host(self, id: str, caller: Caller, library_id: str | None = None) -> Session:
        """The session, if the caller is in control of it; raises as `authorize`."""
        return (await self.authorize(id, caller, library_id, "control"))[0]

    async def get_for_broadcast(self, id: str, caller: Caller, library_id: str | None) -> Session:
        """The session, for a host of it who may join it, too: the answer is a way into the room."""
        session = await self.get_for_host(id, caller, library_id)
        await self.check_registered(session, caller)
        return session

    async def get_for_moderator(self, id: str, caller: Caller, library_id: str | None = None) -> Session:
        """The session, if the caller hosts, co-hosts or moderates it; raises as `authorize`."""
        return (await self.authorize(id, caller, library_id, "moderate"))[0]

    async def authorize_participant(
        self, id: str, caller: Caller, permission: Permission | None = None
    ) -> tuple[Session, RolePermissions]:
        """As `authorize`, for operations beside the LiveKit room.

        Also raises `Forbidden` for guests who may not join.
        """
        session, may = await self.authorize(id, caller, permission=permission)
        await self.check_registered(session, caller)
        return session, may

    async def get_for_participant(self, id: str, user_id: str) -> Session:
        """The session for this person, bans aside; raises `NotFound`, `Forbidden`."""
        session = await self._sessions.get(id)
        await self._check_registered(session, user_id)
        return session

    async def check_registered(self, session: Session, caller: Caller) -> None:
        """Raises `Forbidden` for guests if the library admits registered people only."""
        if caller.role is UserRole.VIEWER:
            await self._check_registered(session, caller.user_id)

    async def _check_registered(self, session: Session, user_id: str) -> None:
        if not session.registered_only:
            return
        user = await self._users.find(user_id)
        if user is None or user.is_guest:
            raise Forbidden("Only registered users may take part here", code="registration_required")

    async def get_eligible_user(self, session: Session, user_id: str) -> User:
        """A person who may take part: of the session's organization, or a viewer of none.

        Raises `NotFound`.
        """
        user = await self._users.find(user_id)
        if user is None or not user.is_active or not is_eligible(user, session):
            raise NotFound(f"There is no user {user_id}", code="user_not_found")
        return user


def is_eligible(user: User, session: Session) -> bool:
    """Whether the person is of the session's organization, or a viewer of none whom the library admits."""
    if user.organization_id is None:
        return user.role is UserRole.VIEWER and not (session.registered_only and user.is_guest)
    return user.organization_id == session.organization_id
