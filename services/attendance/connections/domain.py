"""Connections of people as lists show them, and cursors for places in these lists."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.attendance.attendances.domain import clip, milliseconds_of
from services.attendance.presence.domain import Presence
from services.attendance.sessions.domain import SessionView
from shared.access.permissions import role_of
from shared.clock import from_unix_ms
from shared.contracts.states import Role
from shared.ids import connection_id

# The bits of a cursor that are the connection's; those before them are the time of its joining.
_OWN_BITS = 80
_OWN = (1 << _OWN_BITS) - 1


@dataclass(frozen=True)
class PersonConnection:
    """One connection of a person, from joining to leaving; `left_at` is None while it lasts.

    `estimated`: LiveKit did not report the leaving; its lists show about when it was. `role` is the one they
    have in the session, or had at last; `name` the one they joined with, `external_user_id` the customer's
    own id of them.
    """

    id: str
    participant_sid: str
    session_id: str
    user_id: str
    external_user_id: str | None
    name: str
    role: Role
    joined_at: datetime
    left_at: datetime | None
    estimated: bool


@dataclass(frozen=True)
class ConnectionPage:
    """`next_cursor` is for the page that follows; None after the last."""

    connections: Sequence[PersonConnection]
    next_cursor: str | None


@dataclass(frozen=True)
class SessionConnections:
    """Connections by session id; those of the `incomplete` sessions are left out: they are too many."""

    connections: dict[str, list[PersonConnection]]
    incomplete: list[str]


def person_connection(
    sid: str, presence: Presence, external_user_id: str | None, session: SessionView
) -> PersonConnection:
    """The connection with this sid; the session's end ends it."""
    left_at = clip(presence, session).end
    return PersonConnection(
        id=connection_id(session.id, sid),
        participant_sid=sid,
        session_id=session.id,
        user_id=presence.user_id,
        external_user_id=external_user_id,
        name=presence.username,
        role=_role_in(session, presence),
        joined_at=presence.joined_at,
        left_at=left_at,
        estimated=left_at is not None and presence.left_at is None and left_at == presence.estimated_left_at,
    )


def _role_in(session: SessionView, presence: Presence) -> Role:
    """Places on stage end with the session: from then on the role at joining is what is left of them."""
    if session.over and presence.user_id != session.host_id:
        return session.roles.get(presence.user_id, presence.role)
    return role_of(session, presence.user_id)


def cursor_of(session_id: str, sid: str, joined_at: datetime) -> str:
    """The place of a connection in the order of joining, as a UUID: nothing needs to be stored for it."""
    own = uuid.UUID(connection_id(session_id, sid)).int & _OWN
    return str(uuid.UUID(int=milliseconds_of(joined_at) << _OWN_BITS | own))


def joined_at_of(cursor: str) -> datetime | None:
    """When the connection joined whose place it is; None if that cannot be any."""
    try:
        return from_unix_ms(uuid.UUID(cursor).int >> _OWN_BITS)
    except (ValueError, OverflowError):
        return None
