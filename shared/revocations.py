"""Sign-ins that have ended while access tokens of theirs still live.

Every service verifies tokens without asking anybody. What was revoked within a token's lifetime it therefore
keeps in memory, and asks the session service once a second for what has joined it.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from pydantic import BaseModel

from shared.clock import Clock
from shared.errors import Unavailable

log = structlog.get_logger(__name__)

# Longer than an access token lives.
KEPT = timedelta(minutes=16)
# Clocks of the session service's replicas differ, and a write may take a while to be seen.
_OVERLAP = timedelta(seconds=10)
_EVERY = 1.0


class Revoked(BaseModel):
    """One sign-in, and when it was revoked."""

    id: str
    at: datetime


class RevocationSource(Protocol):
    async def since(self, moment: datetime) -> Sequence[Revoked]:
        """What was revoked at `moment` or later; raises `Unavailable`."""
        ...


class OwnedSource(RevocationSource, Protocol):
    """One that is closed by whoever follows it."""

    async def close(self) -> None: ...


class Revocations:
    """The sign-ins that are over, for as long as it matters."""

    def __init__(self, clock: Clock):
        self._clock = clock
        self._revoked: dict[str, datetime] = {}
        self._asked_for = clock.now() - KEPT

    def __contains__(self, sign_in_id: object) -> bool:
        return sign_in_id in self._revoked

    def __len__(self) -> int:
        return len(self._revoked)

    def add(self, revoked: Iterable[Revoked]) -> None:
        self._revoked.update((one.id, one.at) for one in revoked)

    async def follow(self, source: RevocationSource) -> None:
        """Update again and again, until cancelled; what is known stays while the source does not answer."""
        answers = True
        while True:
            try:
                await self.update(source)
                answers = True
            except Unavailable as error:
                if answers:
                    log.warning("revocations.unknown", reason=error.message)
                answers = False
            await asyncio.sleep(_EVERY)

    async def update(self, source: RevocationSource) -> None:
        """Learn what is new and forget what no longer matters; raises `Unavailable`."""
        now = self._clock.now()
        self.add(await source.since(max(self._asked_for, now - KEPT)))
        self._asked_for = now - _OVERLAP
        self._forget(now)

    def _forget(self, now: datetime) -> None:
        for over in [key for key, at in self._revoked.items() if at < now - KEPT]:
            del self._revoked[over]
