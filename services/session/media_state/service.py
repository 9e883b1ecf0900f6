"""Telling of the host's camera and microphone."""

from collections.abc import Sequence
from datetime import datetime

from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.session import Session
from services.session.sessions.repository import SessionRepository
from shared.access.identity import Caller
from shared.clock import Clock
from shared.contracts.event import Event
from shared.contracts.session_events import HostMedia, HostMediaChanged


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


def switched(
    session: Session, user_id: str, media: HostMedia, now: datetime, *, enabled: bool
) -> Sequence[Event]:
    """Publish it; nothing is stored in the session. Raises `Conflict` unless it is live."""
    session.check_live()
    return [
        HostMediaChanged(session_id=session.id, user_id=user_id, media=media, enabled=enabled, changed_at=now)
    ]
