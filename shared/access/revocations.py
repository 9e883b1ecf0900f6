"""Revoked sign-ins, API keys and people whose access tokens have not expired yet.

Every service verifies tokens locally. So it keeps recent revocations in memory, and polls the session service
for new ones.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from pydantic import BaseModel

from shared.access.identity import ACCESS_LIFETIME, LONGEST_LIFETIME, Caller
from shared.clock import Clock
from shared.errors import Unavailable

log = structlog.get_logger(__name__)

# How long a revocation matters: no token of it lives longer, with a margin for differing clocks.
SIGN_INS_MATTER = ACCESS_LIFETIME + timedelta(minutes=1)
OTHERS_MATTER = LONGEST_LIFETIME + timedelta(minutes=1)
# Clocks of the session service's replicas differ, and a write may take a while to be seen.
_OVERLAP = timedelta(seconds=10)
_EVERY = 0.5


class Revoked(BaseModel):
    """A revoked API key, person or sign-in (`sign_in`), by id: when, and until when its tokens may live.

    Sign-ins and deleted API keys end `for_good`. A person may be reactivated, and a key that lost a scope
    goes on with the others: of these ends what they were given until `at`.
    """

    id: str
    at: datetime
    until: datetime
    sign_in: bool = False
    for_good: bool = False

    def covers(self, issued_at: float) -> bool:
        """Whether what was issued then (seconds since 1970) is revoked."""
        return self.for_good or self.sign_in or issued_at <= self.at.timestamp()


class RevocationSource(Protocol):
    async def since(self, moment: datetime) -> Sequence[Revoked]:
        """What was revoked at `moment` or later and still matters; raises `Unavailable`."""
        ...


class OwnedSource(RevocationSource, Protocol):
    """A source that its follower closes."""

    async def close(self) -> None: ...


class Revocations:
    """The revocations that still matter."""

    def __init__(self, clock: Clock):
        self._clock = clock
        self._revoked: dict[str | None, Revoked] = {}
        self._asked_for = clock.now() - OTHERS_MATTER
        self._listeners: list[Callable[[Sequence[Revoked]], None]] = []

    def __len__(self) -> int:
        return len(self._revoked)

    def cover(self, caller: Caller, issued_at: float) -> bool:
        """Whether a token for `caller`, issued then (seconds since 1970), is revoked."""
        return self.covers(caller.user_id, (caller.sign_in_id, caller.via), issued_at)

    def covers(self, user_id: str, ways_in: Iterable[str | None], issued_at: float) -> bool:
        """The same for whatever a person was given at that time; `ways_in` are sign-ins and API keys."""
        found = [self._revoked.get(one) for one in (user_id, *ways_in)]
        return any(one is not None and one.covers(issued_at) for one in found)

    def listen(self, listener: Callable[[Sequence[Revoked]], None]) -> None:
        """Call `listener` with each revocation once it is known."""
        self._listeners.append(listener)

    def add(self, revoked: Iterable[Revoked]) -> None:
        fresh = [one for one in revoked if self._revoked.get(one.id) != one]
        self._revoked.update((one.id, one) for one in fresh)
        for listener in self._listeners if fresh else ():
            listener(fresh)

    async def follow(self, source: RevocationSource) -> None:
        """Poll until cancelled; known revocations stay in effect while the source is unavailable."""
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
        """Fetch new revocations and drop those that no longer matter; raises `Unavailable`."""
        now = self._clock.now()
        self.add(await source.since(max(self._asked_for, now - OTHERS_MATTER)))
        self._asked_for = now - _OVERLAP
        self._forget(now)

    def _forget(self, now: datetime) -> None:
        for expired in [name for name, one in self._revoked.items() if one.until < now]:
            del self._revoked[expired]
