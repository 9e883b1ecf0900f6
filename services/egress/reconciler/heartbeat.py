"""Noticing that LiveKit was away, so that it is looked at as soon as it is back."""

import asyncio
from collections.abc import Callable

import structlog

from services.egress.reconciler.lease import Lease
from shared.livekit import LiveKit

log = structlog.get_logger(__name__)

# Seconds; shorter than any server takes to start anew.
_PERIOD = 0.5


class Heartbeat:
    """Asks LiveKit for a sign of life while the lease is held; `back` is called when it answers again."""

    def __init__(self, livekit: LiveKit, lease: Lease, back: Callable[[], None]):
        self._livekit = livekit
        self._lease = lease
        self._back = back
        self._away = False

    async def run(self) -> None:
        while True:
            if self._lease.held:
                await self.beat()
            await asyncio.sleep(_PERIOD)

    async def beat(self) -> None:
        """Ask once."""
        was_away, self._away = self._away, not await self._livekit.answers()
        if was_away != self._away:
            log.warning("livekit.away" if self._away else "livekit.back")
        if was_away and not self._away:
            self._back()
