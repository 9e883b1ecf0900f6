"""Has all rooms checked when a person or an API key is revoked: they may be in any of them.

An API key, and whoever signed in through it, may watch sessions of other organizations as everybody does.
"""

from collections.abc import Sequence

from services.session.enforcement.dirty_sessions import DirtySessions
from services.session.enforcement.service import LAST_RECHECK
from services.session.sessions.repository import SessionRepository
from shared.access.revocations import Revoked
from shared.runtime.on_demand import OnDemandWorker


class RevocationObserver:
    """Sign-ins end too often for that: their connections are checked when they begin, and periodically."""

    def __init__(self, sessions: SessionRepository, dirty_sessions: DirtySessions):
        self._sessions = sessions
        self._dirty = dirty_sessions
        self._worker = OnDemandWorker("enforcement of revocations", self._add_all)

    def on_revoked(self, revoked: Sequence[Revoked]) -> None:
        if not all(one.sign_in for one in revoked):
            self._worker.wake()

    async def run(self) -> None:
        """Until cancelled."""
        await self._worker.run()

    async def _add_all(self) -> None:
        for session_id in await self._sessions.ids_live():
            # Once more for who joins before the reconciler knows of it, and no more: it is all rooms.
            self._dirty.add(session_id, LAST_RECHECK)
