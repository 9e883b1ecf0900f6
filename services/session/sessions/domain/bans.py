"""Who may be banned from a session, and what a ban takes. Pure."""

from collections.abc import Sequence
from datetime import datetime

from services.session.sessions.domain.people import Ban
from services.session.sessions.domain.roles import clear_role
from services.session.sessions.domain.session import Session
from services.session.sessions.domain.stage import free_seat
from shared.access.permissions import role_of
from shared.contracts.event import Event
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import Role
from shared.errors import Conflict, Forbidden, NotFound

# All of them are in the session's document and in each of its events.
MOST_BANNED = 2000

_HOSTS = frozenset({Role.HOST, Role.CO_HOST})


def ban(session: Session, user_id: str, banned: Ban, by: Role) -> Sequence[Event]:
    """Ban a person, who loses role and place on stage; an existing ban stays as it is.

    Raises `Forbidden` for hosts, co-hosts, and `by` a moderator for moderators; `Conflict` for oneself, for a
    session that is over and if too many are banned.
    """
    session.check_not_over()
    if user_id == banned.banned_by:
        raise Conflict("You cannot ban yourself", code="ban_of_oneself")
    role = role_of(session, user_id)
    if role in _HOSTS or (role is Role.MODERATOR and by not in _HOSTS):
        raise Forbidden("You cannot ban people whose role is not below yours", code="ban_of_staff")
    if user_id in session.bans:
        return []
    if len(session.bans) >= MOST_BANNED:
        raise Conflict(f"At most {MOST_BANNED} people can be banned", code="too_many_bans")
    session.bans = {**session.bans, user_id: banned}
    free_seat(session, banned.banned_at, user_id)
    return clear_role(session, banned.banned_at, user_id)


def unban(session: Session, now: datetime, user_id: str) -> Sequence[Event]:
    """Let a person join again, as a viewer. Raises `NotFound` if they are not banned."""
    if user_id not in session.bans:
        raise NotFound("This person is not banned from the session", code="ban_not_found")
    session.bans = {other: ban for other, ban in session.bans.items() if other != user_id}
    session.updated_at = now
    return [SessionUpdated(session=session.state())]
