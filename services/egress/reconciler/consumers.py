"""Who joins and leaves the rooms, as LiveKit's webhooks report it."""

from collections.abc import Sequence
from typing import Final

from services.egress.reconciler.connections import ExpectedConnections
from shared.bus import OrderedGroup
from shared.contracts.event import Envelope
from shared.contracts.livekit_events import (
    ParticipantConnectionAborted,
    ParticipantEvent,
    ParticipantJoined,
    ParticipantLeft,
)

CONNECTIONS_GROUP: Final = "egress.connections"

_EVENTS = (ParticipantJoined, ParticipantLeft, ParticipantConnectionAborted)


def connection_group(connections: ExpectedConnections) -> OrderedGroup:
    """In batches, for people join and leave in crowds."""

    async def handle(batch: Sequence[Envelope]) -> None:
        events = [envelope.event for envelope in batch]
        await connections.follow(event for event in events if isinstance(event, ParticipantEvent))

    return OrderedGroup(CONNECTIONS_GROUP, _EVENTS, handle)
