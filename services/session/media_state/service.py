"""Telling of the host's camera and microphone."""

from services.session.media_state.domain import switched
from services.session.sessions.access import SessionAccess
from services.session.sessions.repository import SessionRepository
from shared.access.identity import Caller
from shared.clock import Clock
from shared.contracts.session_events import HostMedia


class HostMediaService:
    def __init__(self, sessions: SessionRepository, access: SessionAccess, clock: Clock):
        self._sessions = sessions
        self._access = access
        self._clock = clock

    async def switch(
        self, id: str, caller: Caller, library_id: str | None, media: HostMedia, *, enabled: bool
    ) -> None:
        """Record that it is on or off. Raises `NotFound`, `Forbidden`, and `Conflict` unless it is live."""
        session = await self._access.get_for_host(id, caller, library_id)
        await self._sessions.change(
            session.id,
            lambda session: switched(session, caller.user_id, media, self._clock.now(), enabled=enabled),
        )
