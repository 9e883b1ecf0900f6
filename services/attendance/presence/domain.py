"""Updates of connections, and the interval they add up to.

Updates commute: in whatever order and however often they are received, a connection's presence is the same.
The join describes the connection, the others only if there is no join; of several times of leaving the first
holds; a connection counts unless any update shows that it is no viewer's.
"""

import hashlib
import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from services.attendance.sessions.domain import SessionView
from shared.access.room_permissions import is_visible_person
from shared.clock import milliseconds
from shared.contracts.livekit_events import Connection, ParticipantEvent, ParticipantJoined, ParticipantLeft
from shared.contracts.reconciler_events import RosterObserved
from shared.contracts.states import Role

_RANDOM_BITS = 80
_NON_VIEWER_ROLES = frozenset({Role.HOST, Role.CO_HOST})


@dataclass(frozen=True)
class ConnectionUpdate:
    """What one event or several report of one connection.

    `active` is false for a connection that broke off before it was ever established; `room_sid` is LiveKit's
    id of the room; `person` is false for monitors, recorders, machines and encoders. `external_user_id` is
    the customer's own id of the person.
    """

    id: str
    session_id: str
    user_id: str
    identity: str
    username: str
    role: Role
    counted: bool
    active: bool
    described: bool
    joined_at: datetime
    left_at: datetime | None
    room_sid: str | None = None
    person: bool = True
    external_user_id: str | None = None

    @classmethod
    def of(cls, event: ParticipantEvent) -> "ConnectionUpdate":
        connection = event.connection
        joined = isinstance(event, ParticipantJoined)
        return cls(
            id=connection.participant_sid,
            session_id=event.session_id,
            user_id=connection.user_id,
            identity=connection.identity,
            username=connection.username,
            role=connection.role,
            counted=is_viewer(connection),
            active=joined or isinstance(event, ParticipantLeft),
            described=joined,
            joined_at=milliseconds(connection.joined_at),
            left_at=None if joined else milliseconds(event.occurred_at),
            room_sid=event.room_sid,
            person=is_visible_person(connection),
            external_user_id=connection.external_user_id,
        )

    @classmethod
    def seen(cls, roster: RosterObserved, connection: Connection) -> "ConnectionUpdate":
        """Of a connection that a roster shows, whether or not its joining was reported."""
        joined = ParticipantJoined(
            session_id=roster.session_id,
            occurred_at=connection.joined_at,
            connection=connection,
            room_sid=roster.room_sid,
        )
        return cls.of(joined)

    @property
    def only_closes(self) -> bool:
        """Whether all it reports of a known connection is its end: not who attends, nor since when."""
        return not self.described and self.counted and self.left_at is not None

    def is_after(self, session: SessionView | None) -> bool:
        """Whether it reports only a time after the session's end."""
        end = session.ended_at if session else None
        return end is not None and self.left_at is not None and self.left_at >= end

    def under(self, session: SessionView | None) -> "ConnectionUpdate":
        """The same under the session's bans: users who joined in spite of one are no viewers."""
        since = session.banned.get(self.user_id) if session else None
        return self if since is None or self.joined_at < since else replace(self, counted=False)

    def merged(self, other: "ConnectionUpdate") -> "ConnectionUpdate":
        """Both as one; they must be of the same connection."""
        describing = other if other.described and not self.described else self
        ends = [end for end in (self.left_at, other.left_at) if end is not None]
        return replace(
            describing,
            counted=self.counted and other.counted,
            active=self.active or other.active,
            joined_at=min(self.joined_at, other.joined_at),
            left_at=min(ends, default=None),
        )


@dataclass(frozen=True)
class Presence:
    """One connection's interval as stored. `estimated_left_at` stands in for a lost leave event."""

    user_id: str
    username: str
    role: Role
    counted: bool
    active: bool
    joined_at: datetime
    left_at: datetime | None
    estimated_left_at: datetime | None = None

    @property
    def is_viewing(self) -> bool:
        return self.counted and self.active

    @property
    def end(self) -> datetime | None:
        return self.left_at or self.estimated_left_at


def is_viewer(connection: Connection) -> bool:
    """Hosts, co-hosts, hidden monitors, recorders and machines are none."""
    return is_visible_person(connection) and connection.role not in _NON_VIEWER_ROLES


def attendance_id(session_id: str, user_id: str) -> str:
    """The id of a person's attendance of a session: always the same, so that nobody stores a second one.

    A UUIDv7 with the time of the session's id, its random bits drawn from both ids.
    """
    digest = hashlib.sha256(f"{session_id}/{user_id}".encode()).digest()
    time = uuid.UUID(session_id).int >> _RANDOM_BITS
    value = time << _RANDOM_BITS | int.from_bytes(digest[: _RANDOM_BITS // 8])
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
