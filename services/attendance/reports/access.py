"""Who may read a session's reports."""

from services.attendance.sessions.domain import SessionView
from shared.access.identity import Caller
from shared.access.session_access import require


def require_host(session: SessionView, caller: Caller, library_id: str | None) -> None:
    """Whoever is in control of the session. Raises as `shared.access.session_access.require`."""
    require(session, session.preset, caller, library_id, "control")


def sees_emails(session: SessionView, caller: Caller) -> bool:
    """E-mail addresses are for the organization's own people, not for a co-host from elsewhere."""
    return caller.organization_id is not None and caller.organization_id == session.organization_id
