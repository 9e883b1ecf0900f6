"""What the reconciler follows: the states of sessions, and the comings and goings in their rooms."""

from collections.abc import Sequence
from typing import Final

from services.egress.reconciler.connections.service import Connections
from services.egress.reconciler.sessions.service import Sessions
from shared.bus import Group, OrderedGroup, on
from shared.contracts.event import Envelope
from shared.contracts.livekit_events import (
    ParticipantConnectionAborted,
    ParticipantEvent,
    ParticipantJoined,
    ParticipantLeft,
)
from shared.contracts.session_events import (
    SessionCreated,
    SessionDeleted,
    SessionEnded,
    SessionExpired,
    SessionStarted,
    SessionUpdated,
)

SESSIONS_GROUP: Final = "egress.sessions"
CONNECTIONS_GROUP: Final = "egress.connections"

_STATES = (SessionCreated, SessionUpdated, SessionStarted, SessionEnded, SessionExpired, SessionDeleted)
_COMINGS_AND_GOINGS = (ParticipantJoined, ParticipantLeft, ParticipantConnectionAborted)


def session_group(sessions: Sessions) -> Group:
    return Group(SESSIONS_GROUP, dict(on(event, sessions.follow) for event in _STATES))


def connection_group(connections: Connections) -> OrderedGroup:
    """In batches, for people come and go in crowds."""

    async def handle(batch: Sequence[Envelope]) -> None:
        events = [envelope.event for envelope in batch]
        await connections.follow(event for event in events if isinstance(event, ParticipantEvent))

    return OrderedGroup(CONNECTIONS_GROUP, _COMINGS_AND_GOINGS, handle)
