"""Who may act on a session's streams and recordings: the rules of the session service."""

from services.egress.sessions.projection import EgressSessionProjection
from shared.access.identity import Caller
from shared.access.session_access import Permission, refuse_outsider, require
from shared.contracts.states import SessionState, SessionStatus
from shared.errors import Conflict, Unavailable
from shared.persistence.mongo import Document


def owned_by(caller: Caller) -> Document:
    """Selects what is the caller's own as a host; for an API key, its organization's. Raises `Forbidden`."""
    organization_id = caller.hosting_organization()
    if caller.api_key_id is not None:
        return {"organization_id": organization_id}
    return {"host_id": caller.user_id}


class MediaAccess:
    def __init__(self, sessions: EgressSessionProjection):
        self._sessions = sessions

    async def find(self, session_id: str) -> SessionState | None:
        """The session for other services, whoever it is for; None if there is none. Raises `Unavailable`."""
        known = await self._sessions.find(session_id)
        return known.state if known is not None and not known.deleted else None

    async def get_for_host(
        self, session_id: str, caller: Caller, library_id: str | None = None
    ) -> SessionState:
        """The session, if the caller is in control of it. Raises `NotFound`, `Forbidden`, `Unavailable`."""
        return await self._of(session_id, caller, library_id, "control")

    async def get_for_moderator(
        self, session_id: str, caller: Caller, library_id: str | None = None
    ) -> SessionState:
        """The session, if the caller hosts, co-hosts or moderates it. Raises as `get_for_host`."""
        return await self._of(session_id, caller, library_id, "moderate")

    async def _of(
        self, session_id: str, caller: Caller, library_id: str | None, permission: Permission
    ) -> SessionState:
        known = await self._sessions.find(session_id)
        if known is None or known.deleted:
            refuse_outsider("session", caller, permission)
        session = known.state
        require(session, session.preset, caller, library_id, permission)
        return session

    async def check_live(self, session: SessionState) -> SessionState:
        """The session as its owner has it now, which must be live: events may be late, either way.

        If the owner does not answer, events are enough, provided that they say it is live.
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
