"""Keeping what LiveKit's webhooks tell of connections."""

from collections.abc import Iterable

from services.egress.reconciler.connections.repository import ConnectionRepository
from shared.contracts.livekit_events import ParticipantEvent
from shared.ids import is_id


class Connections:
    def __init__(self, connections: ConnectionRepository):
        self._connections = connections

    async def follow(self, events: Iterable[ParticipantEvent]) -> None:
        """Believe what these events tell; rooms that are no sessions of ours are passed over."""
        await self._connections.record([event for event in events if is_id(event.session_id)])
