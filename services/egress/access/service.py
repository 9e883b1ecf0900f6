"""Who may act on a session's streams and recordings: the rules of the session service."""

from typing import Protocol

from services.egress.sessions.service import Sessions
from shared.access.identity import Caller
from shared.access.session_access import Permission, require
from shared.contracts.states import SessionState, SessionStatus
from shared.errors import Conflict, Forbidden, NotFound, Unavailable


class Owned(Protocol):
    @property
    def organization_id(self) -> str: ...

    @property
    def library_id(self) -> str: ...

    @property
    def host_id(self) -> str: ...


class SessionAccess:
    def __init__(self, sessions: Sessions):
        self._sessions = sessions

    async def hosted(self, session_id: str, caller: Caller, library_id: str | None = None) -> SessionState:
        """The session, if the caller is in control of it. Raises `NotFound`, `Forbidden`, `Unavailable`."""
        return await self._of(session_id, caller, library_id, "control")

    async def moderated(self, session_id: str, caller: Caller, library_id: str | None = None) -> SessionState:
        """The session, if the caller hosts, co-hosts or moderates it. Raises as `hosted`."""
        return await self._of(session_id, caller, library_id, "moderate")

    async def _of(
        self, session_id: str, caller: Caller, library_id: str | None, permission: Permission
    ) -> SessionState:
        known = await self._sessions.find(session_id)
        if known is None or known.deleted:
            raise NotFound(f"There is no session {session_id}", code="session_not_found")
        session = known.state
        require(session, session.preset, caller, library_id, permission)
        return session

    async def live(self, session: SessionState) -> SessionState:
        """The session as its owner has it now, which must be live: events may be late, either way.

        Where the owner does not answer, what events told is enough, if that is that the session is live.
        Raises `Conflict`, `Unavailable`.
        """
        try:
            asked = await self._sessions.ask(session.id)
        except Unavailable:
            if session.status is not SessionStatus.LIVE:
                raise
            return session
        session = asked.state if asked else session
        if asked is None or session.status is not SessionStatus.LIVE:
            raise Conflict(f"The session is not live; it is {session.status.value}", code="session_not_live")
        return session


def require_host(thing: Owned, caller: Caller) -> None:
    """Its host, or an API key of its organization.

    Raises `NotFound` for what belongs to another organization, `Forbidden` for viewers and colleagues.
    """
    if caller.hosting_organization() != thing.organization_id:
        raise NotFound("Nothing has this id")
    if caller.api_key_id is None and caller.user_id != thing.host_id:
        raise Forbidden("Only its host may do this", code="not_the_host")
