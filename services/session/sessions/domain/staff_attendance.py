"""When people with a role were in the session, as LiveKit reported. Pure.

Events of a connection may arrive in any order, or late; rosters correct them.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from services.session.sessions.domain.presence import HostConnection, corrected
from services.session.sessions.domain.session import Session
from shared.contracts.attendance_events import RosterObserved
from shared.contracts.event import Event
from shared.contracts.livekit_events import Connection
from shared.contracts.states import Role

_STAFF = frozenset({Role.HOST, Role.CO_HOST, Role.MODERATOR})


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
