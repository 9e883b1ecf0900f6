"""Following the sessions' states, and asking their owner before something is done to one."""

from collections.abc import Sequence

from services.egress.sessions.domain import KnownSession
from services.egress.sessions.repository import SessionRepository
from shared.contracts.session_events import SessionDeleted, SessionEvent
from shared.session_projection.owner import SessionOwner


class Sessions:
    def __init__(self, sessions: SessionRepository, owner: SessionOwner):
        self._sessions = sessions
        self._owner = owner

    async def follow(self, event: SessionEvent) -> None:
        await self._sessions.save(event.session, deleted=isinstance(event, SessionDeleted))

    async def list_live(self) -> list[KnownSession]:
        """The sessions that are live as far as events told."""
        return await self._sessions.list_live()

    async def known(self, ids: Sequence[str]) -> dict[str, KnownSession]:
        """Those that events told of, by id."""
        return await self._sessions.find_many(ids) if ids else {}

    async def find(self, session_id: str) -> KnownSession | None:
        """The session as events told it; one that none told of is asked for. Raises `Unavailable`."""
        return await self._sessions.find(session_id) or await self.ask(session_id)

    async def ask(self, session_id: str) -> KnownSession | None:
        """The session as its owner has it now, None where there is none. Raises `Unavailable`."""
        state = await self._owner.ask(session_id)
        if state is None:
            return None
        await self._sessions.save(state)
        return KnownSession(state)
