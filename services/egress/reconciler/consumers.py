"""What the reconciler follows: the states of sessions, and who joins and leaves their rooms."""

from collections.abc import Sequence
from typing import Final

from services.egress.reconciler.connections import ExpectedConnections
from services.egress.sessions.projection import EgressSessionProjection
from shared.bus import Group, OrderedGroup, on
from shared.contracts.event import Envelope
from shared.contracts.livekit_events import PARTICIPANT_EVENTS, ParticipantEvent
from shared.contracts.session_events import SESSION_EVENTS

SESSIONS_GROUP: Final = "egress.sessions"
CONNECTIONS_GROUP: Final = "egress.connections"


def session_group(sessions: EgressSessionProjection) -> Group:
    return Group(SESSIONS_GROUP, dict(on(event, sessions.follow) for event in SESSION_EVENTS))


def connection_group(connections: ExpectedConnections) -> OrderedGroup:
    """In batches, for people join and leave in crowds."""

    async def handle(batch: Sequence[Envelope]) -> None:
        events = [envelope.event for envelope in batch]
        await connections.follow(event for event in events if isinstance(event, ParticipantEvent))

    return OrderedGroup(CONNECTIONS_GROUP, PARTICIPANT_EVENTS, handle)
