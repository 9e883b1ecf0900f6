"""Which session a call works on, and what its caller may do in it."""

from services.session.access.ownership import get_in_library
from services.session.identity.accounts.domain import User
from services.session.identity.accounts.repository import UserRepository
from services.session.sessions.domain.session import Session
from services.session.sessions.repository import SessionRepository
from shared.access.identity import Caller
from shared.access.permissions import RolePermissions
from shared.access.session_access import Permission, refuse_outsider, require, require_admitted
from shared.contracts.states import UserRole
from shared.errors import Forbidden, NotFound
from shared.ids import is_id


class SessionAccess:
    def __init__(self, sessions: SessionRepository, users: UserRepository):
        self._sessions = sessions
        self._users = users

    async def get_in_library(self, id: str, library_id: str | None) -> Session:
        """The session for anybody who knows its id; raises `NotFound` if it is in another library."""
        return await get_in_library(self._sessions, id, library_id)

    async def authorize(
        self,
        id: str,
        caller: Caller,
        library_id: str | None = None,
        permission: Permission | None = None,
        *,
        noun: str = "session",
    ) -> tuple[Session, RolePermissions]:
        """The session and what the caller may do in it, `permission` included if one is given.

        Every operation on a session is authorized here. Raises as `shared.access.session_access.require`,
        also if there is no such session.
        """
        session = await self._sessions.find(id.lower()) if is_id(id) else None
        if session is None:
            refuse_outsider(noun, caller, permission)
        may = require(session, session.preset.settings, caller, library_id, permission, noun=noun)
        return session, may

    async def get_for_host(self, id: str, caller: Caller, library_id: str | None = None) -> Session:
        """The session, if the caller is in control of it; raises as `authorize`."""
        return (await self.authorize(id, caller, library_id, "control"))[0]

    async def get_for_moderator(self, id: str, caller: Caller, library_id: str | None = None) -> Session:
        """The session, if the caller hosts, co-hosts or moderates it; raises as `authorize`."""
        return (await self.authorize(id, caller, library_id, "moderate"))[0]

    async def get_for_participant(self, id: str, user_id: str) -> Session:
        """The session for this person, bans aside; raises `NotFound`, `Forbidden`."""
        session = await self._sessions.get(id)
        user = await self._users.find(user_id)
        if user is None or not user.is_active:
            raise Forbidden("This account has ended", code="account_gone")
        require_admitted(session, guest=user.is_guest)
        return session

    async def get_eligible_user(self, session: Session, user_id: str) -> User:
        """A person who may take part: of the session's organization, or a viewer of none.

        Raises `NotFound`.
        """
        user = await self._users.find(user_id)
        if user is None or not user.is_active or not is_eligible(user, session):
            raise NotFound.of("user")
        return user


def is_eligible(user: User, session: Session) -> bool:
    """Whether the person is of the session's organization, or a viewer of none whom the library admits."""
    if user.organization_id is None:
        return user.role is UserRole.VIEWER and not (session.registered_only and user.is_guest)
    return user.organization_id == session.organization_id
