"""The states of sessions, from the session service's events."""

from typing import Final

from services.egress.sessions.service import KnownSessions
from shared.bus import Group, on
from shared.contracts.session_events import (
    SessionCreated,
    SessionDeleted,
    SessionEnded,
    SessionExpired,
    SessionStarted,
    SessionUpdated,
)

SESSIONS_GROUP: Final = "egress.sessions"

_STATES = (SessionCreated, SessionUpdated, SessionStarted, SessionEnded, SessionExpired, SessionDeleted)


def session_group(sessions: KnownSessions) -> Group:
    return Group(SESSIONS_GROUP, dict(on(event, sessions.follow) for event in _STATES))
