"""Noticing that LiveKit was away, so that all rooms are checked as soon as it is back."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from shared.clock import Clock
from shared.livekit import LiveKit
from shared.persistence.lease import Lease

log = structlog.get_logger(__name__)

# Seconds; shorter than any server takes to restart.
_PERIOD = 0.25


@dataclass
class Outages:
    """`answered_before`: when LiveKit last answered before it was last away; None if it never was."""

    answered_before: datetime | None = None


class Heartbeat:
    """Pings LiveKit while the lease is held; `back` is called when it answers again."""

    def __init__(
        self, livekit: LiveKit, lease: Lease, clock: Clock, outages: Outages, back: Callable[[], None]
    ):
        self._livekit = livekit
        self._lease = lease
        self._clock = clock
        self._outages = outages
        self._back = back
        self._answered_at: datetime | None = None
        self._away = False

    async def run(self) -> None:
        while True:
            if self._lease.held:
                await self.run_once()
            await asyncio.sleep(_PERIOD)

    async def run_once(self) -> None:
        """Ask once."""
        asked_at = self._clock.now()
        if not await self._livekit.answers():
            if not self._away:
                self._outages.answered_before = self._answered_at
                log.warning("livekit.away", answered_at=self._answered_at)
            self._away = True
            return
        self._answered_at = asked_at
        if self._away:
            self._away = False
            log.warning("livekit.back")
            self._back()
