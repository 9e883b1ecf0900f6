"""The LiveKit rooms of sessions: opened with what LiveKit itself has to know of the session, and closed."""

from typing import Final

from services.session.sessions.domain.session import Limits, Session
from shared.livekit import LiveKit

# Seconds that LiveKit keeps an empty room beyond our own grace: we end its session first.
_BEYOND_GRACE: Final = 300
# Seconds that LiveKit keeps the room of a pending session; the session closes it when it expires, and opens
# it again if it waits longer.
_PENDING: Final = 24 * 3600


class LiveKitRooms:
    """An automatic session ends when LiveKit closes its room; others end before that."""

    def __init__(self, livekit: LiveKit, limits: Limits):
        self._livekit = livekit
        self._limits = limits

    async def open(self, session: Session) -> None:
        """Open the session's room; an open one stays as it is. Raises `Unavailable`."""
        if session.is_automatic:
            empty, departure = _PENDING, int(self._limits.departure_grace.total_seconds())
        else:
            empty = departure = int(self._limits.no_host_grace.total_seconds()) + _BEYOND_GRACE
        await self._livekit.create_room(
            session.id,
            empty_timeout=empty,
            departure_timeout=departure,
            max_participants=session.options.max_members or 0,
        )

    async def close(self, session_id: str) -> None:
        """Close it and disconnect everybody; does nothing if it is not open. Raises `Unavailable`."""
        await self._livekit.delete_room(session_id)

    async def close_empty(self, session_id: str) -> None:
        """Close it unless somebody is in it. Raises `Unavailable`."""
        if not await self._livekit.list_participants(session_id):
            await self.close(session_id)

    async def is_open(self, session_id: str) -> bool:
        """Raises `Unavailable`."""
        return bool(await self._livekit.list_rooms([session_id]))

    async def remove(self, session_id: str, identity: str) -> None:
        """Disconnect somebody. Raises `Unavailable`."""
        await self._livekit.remove_participant(session_id, identity)
