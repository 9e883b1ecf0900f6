"""Has all rooms checked when a person or an API key is revoked: they may be in any of them.

An API key, and whoever signed in through it, may watch sessions of other organizations as everybody does.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from services.session.enforcement.dirty_sessions import DirtySessions
from services.session.enforcement.service import LAST_RECHECK
from services.session.sessions.repository import SessionRepository
from shared.access.revocations import Revoked
from shared.errors import AppError
from shared.runtime.backoff import Backoff

log = structlog.get_logger(__name__)

_BACKOFF: Final = Backoff(0.2, 5.0)


class RevocationObserver:
    """Sign-ins end too often for that: their connections are checked when they begin, and periodically."""

    def __init__(self, sessions: SessionRepository, dirty_sessions: DirtySessions):
        self._sessions = sessions
        self._dirty = dirty_sessions
        self._woken = asyncio.Event()

    def on_revoked(self, revoked: Sequence[Revoked]) -> None:
        if not all(one.sign_in for one in revoked):
            self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        delays = _BACKOFF.delays()
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                for session_id in await self._sessions.ids_live():
                    # Once more for who joins before the reconciler knows of it, and no more: it is all rooms.
                    self._dirty.add(session_id, LAST_RECHECK)
                delays = _BACKOFF.delays()
            except AppError as error:
                log.warning("enforcement.revocations_waiting", code=error.code)
                self._woken.set()
                await asyncio.sleep(next(delays))
