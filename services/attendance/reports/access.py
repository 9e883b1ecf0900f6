"""Who may read a session's reports."""

from services.attendance.sessions.domain import SessionView
from shared.contracts.states import Role
from shared.errors import Forbidden, NotFound
from shared.identity import Caller


def require_host(session: SessionView, caller: Caller, library_id: str | None) -> None:
    """Its host, whoever hosts or co-hosts by role, or an API key of its organization.

    Raises `NotFound` for other organizations and libraries, `Forbidden` for viewers and for
    colleagues who have no part in it.
    """
    by_role = session.roles.get(caller.user_id) in {Role.HOST, Role.CO_HOST}
    if not by_role and caller.hosting_organization() != session.organization_id:
        raise NotFound(f"There is no session {session.id}", code="session_not_found")
    if library_id is not None and session.library_id != library_id:
        raise NotFound("There is no such session in this library", code="session_not_found")
    if not (by_role or caller.user_id == session.host_id or caller.api_key_id is not None):
        raise Forbidden("Only its host may do this", code="not_the_host")


def sees_emails(session: SessionView, caller: Caller) -> bool:
    """E-mail addresses are for the organization's own people, not for a co-host from elsewhere."""
    return caller.organization_id is not None and caller.organization_id == session.organization_id
