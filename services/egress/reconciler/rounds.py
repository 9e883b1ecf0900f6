"""Rounds over what lies outside of rooms: egresses and ingresses, streams and recordings."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Protocol

import structlog
from aiohttp import web

from services.egress.drift.service import DriftLedger
from services.egress.reconciler.domain import Done, Repair
from services.egress.reconciler.doubts import Doubts
from shared.clock import Clock
from shared.errors import AppError
from shared.persistence.lease import Lease
from shared.runtime.supervisor import SUPERVISOR

log = structlog.get_logger(__name__)

# How soon to look again at what is in doubt, and for the lease.
_SOON = timedelta(seconds=2)


class Check(Protocol):
    """One thing that is compared in each round. Both raise `AppError` where that cannot be done now."""

    async def differences(self) -> list[Repair]: ...

    async def repair(self, repair: Repair) -> Done | None:
        """Do what is still needed; None where nothing is. Asked once the difference has lasted."""
        ...


class Rounds:
    """The replica that holds the lease looks."""

    def __init__(
        self, checks: Iterable[Check], lease: Lease, ledger: DriftLedger, clock: Clock, *, period: timedelta
    ):
        self._checks = [(check, Doubts()) for check in checks]
        self._lease = lease
        self._ledger = ledger
        self._clock = clock
        self._period = period

    async def lifetime(self, app: web.Application) -> AsyncIterator[None]:
        """A `cleanup_ctx`; add it behind what the checks work with."""
        app[SUPERVISOR].spawn("reconciler rounds", self.run())
        yield

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            soon = not self._lease.held or await self.round()
            await asyncio.sleep((_SOON if soon else self._period).total_seconds())

    async def round(self) -> bool:
        """Compare, and repair what has differed for long enough; whether something awaits its time."""
        return any([await self._round(check, doubts) for check, doubts in self._checks])

    async def _round(self, check: Check, doubts: Doubts) -> bool:
        try:
            found = _by_session(await check.differences())
        except AppError as error:
            log.warning("rounds.waiting", check=type(check).__name__, code=error.code, error=error.message)
            return False
        doubts.forget_others(found.keys())
        waiting = False
        for session_id, differences in found.items():
            ripe = doubts.ripe(session_id, differences, self._clock.now())
            waiting = waiting or len(ripe) < len(differences)
            done = [repair for repair in ripe if await self._repaired(check, repair)]
            doubts.settle(done, self._clock.now())
        return waiting

    async def _repaired(self, check: Check, repair: Repair) -> bool:
        """False where it has to be tried again."""
        try:
            done = await check.repair(repair)
            if done is not None:
                await self._ledger.record([done])
        except AppError as error:
            log.warning(
                "drift.not_repaired", session_id=repair.session_id, kind=repair.kind, error=error.message
            )
            return False
        return True


def _by_session(differences: Iterable[Repair]) -> dict[str, list[Repair]]:
    found: defaultdict[str, list[Repair]] = defaultdict(list)
    for one in differences:
        found[one.session_id].append(one)
    return found
