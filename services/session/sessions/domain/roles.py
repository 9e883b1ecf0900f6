"""Who may be granted which role in a session, and what is stored about it; when those people were in the
session, as LiveKit reported. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from services.session.sessions.domain.people import Assignment
from services.session.sessions.domain.presence import HostConnection, corrected
from services.session.sessions.domain.session import Session
from services.session.sessions.domain.stage import free_seat
from shared.access.session_access import is_banned_person
from shared.contracts.event import Event
from shared.contracts.livekit_events import Connection
from shared.contracts.reconciler_events import RosterObserved
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import Role
from shared.errors import Conflict, NotFound

# Everybody who ever had a role, since all of them are kept with the session.
MOST_ASSIGNED = 500

_KEPT = frozenset({Role.CO_HOST, Role.MODERATOR})


@dataclass(frozen=True, kw_only=True)
class RoleGrant:
    """Whom somebody makes what; `id` becomes that of the assignment, `device_id` is the person's."""

    id: str
    user_id: str
    username: str
    role: Role
    by: str
    device_id: str | None = None


def grant_role(session: Session, now: datetime, given: RoleGrant) -> Sequence[Event]:
    """Grant a person a role, replacing another one; repeating it changes nothing.

    Audience means no role, which everybody may be given. Raises `Conflict` for the host, for banned people,
    in a session that is over and if too many have had a role.
    """
    session.check_not_over()
    _check(session, given)
    if session.roles.get(given.user_id, Role.AUDIENCE) is given.role:
        return []
    _clear_role(session, now, given.user_id)
    if given.role is not Role.AUDIENCE:
        session.roles = {**session.roles, given.user_id: given.role}
    if given.role is Role.CO_HOST:
        # Hosts and co-hosts need no place on stage, and take none.
        free_seat(session, now, given.user_id)
    if given.role in _KEPT:
        session.assignments = {**session.assignments, given.user_id: _assignment(session, now, given)}
    return _updated(session, now)


def revoke_role(session: Session, now: datetime, user_id: str, role: Role) -> Sequence[Event]:
    """Revoke a person's role. Raises `NotFound` if they do not have it."""
    if session.roles.get(user_id) is not role:
        raise NotFound(f"This person is not a {role.value} of the session", code="participant_not_found")
    session.check_not_over()
    return clear_role(session, now, user_id)


def clear_role(session: Session, now: datetime, user_id: str) -> Sequence[Event]:
    """Take whatever role a person has."""
    _clear_role(session, now, user_id)
    return _updated(session, now)


def _check(session: Session, given: RoleGrant) -> None:
    if given.user_id == session.host_id and given.role is not Role.HOST:
        raise Conflict("The host's role cannot be changed", code="participant_is_host")
    if is_banned_person(session, given.user_id, given.device_id):
        raise Conflict("This person is banned from the session", code="participant_banned")
    is_one_more = given.role in _KEPT and given.user_id not in session.assignments
    if is_one_more and len(session.assignments) >= MOST_ASSIGNED:
        raise Conflict(f"At most {MOST_ASSIGNED} people can have a role", code="too_many_roles")


def _assignment(session: Session, now: datetime, given: RoleGrant) -> Assignment:
    before = session.assignments.get(given.user_id)
    return Assignment(
        id=given.id,
        username=given.username,
        role=given.role,
        assigned_by=given.by,
        assigned_at=now,
        visits=before.visits if before else {},
    )


def _clear_role(session: Session, now: datetime, user_id: str) -> None:
    session.roles = {other: held for other, held in session.roles.items() if other != user_id}
    assignment = session.assignments.get(user_id)
    if assignment is not None and assignment.is_active:
        assignment.removed_at = now


def _updated(session: Session, now: datetime) -> Sequence[Event]:
    session.updated_at = now
    return [SessionUpdated(session=session.state())]


_STAFF = frozenset({Role.HOST, Role.CO_HOST, Role.MODERATOR})


# Events of a connection may arrive in any order, or late; rosters correct them.
def is_staff(connection: Connection) -> bool:
    """Whether the connection claims a role; most connections are viewers' and are skipped."""
    return connection.role in _STAFF and _visible(connection)


def record_join(session: Session, connection: Connection, room_sid: str | None) -> Sequence[Event]:
    """A person joined; ignored if they never had a role."""
    assignment = session.assignments.get(connection.user_id)
    if assignment is not None:
        one = assignment.visits.setdefault(connection.participant_sid, HostConnection())
        one.joined_at, one.room_sid = connection.joined_at, room_sid
    return []


def record_leave(session: Session, connection: Connection, at: datetime) -> Sequence[Event]:
    assignment = session.assignments.get(connection.user_id)
    if assignment is not None:
        came = HostConnection(joined_at=connection.joined_at)
        assignment.visits.setdefault(connection.participant_sid, came).leave(at)
    return []


def correct_attendance(session: Session, roster: RosterObserved) -> Sequence[Event]:
    """Correct the visits by what LiveKit itself shows: who was given a role was there before it."""
    if session.is_live:
        for user_id, assignment in session.assignments.items():
            assignment.visits = corrected(assignment.visits, roster, partial(_of, user_id))
    return []


def _of(user_id: str, connection: Connection) -> bool:
    return connection.user_id == user_id and _visible(connection)


def _visible(connection: Connection) -> bool:
    return not (connection.hidden or connection.recorder)
