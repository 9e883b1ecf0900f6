"""Periodic checks of what lies outside of rooms: egresses and ingresses, streams and recordings."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Protocol

import structlog
from aiohttp import web

from services.egress.drift.debouncer import Debouncer
from services.egress.drift.domain import Drift, DriftCorrection
from services.egress.drift.service import DriftLedger
from shared.clock import Clock
from shared.errors import AppError
from shared.persistence.lease import Lease
from shared.runtime.tasks import SUPERVISOR

log = structlog.get_logger(__name__)

# How soon to check again while drift is pending, and for the lease.
_SOON = timedelta(seconds=2)


class DriftCheck(Protocol):
    """One subject of the periodic checks. Both raise `AppError` if it cannot be checked now."""

    async def differences(self) -> list[Drift]: ...

    async def correct(self, drift: Drift) -> DriftCorrection | None:
        """Do what is still needed, None if nothing is; called once the difference has lasted."""
        ...


class PeriodicChecks:
    """Run on the replica that holds the lease."""

    def __init__(
        self,
        checks: Iterable[DriftCheck],
        lease: Lease,
        ledger: DriftLedger,
        clock: Clock,
        *,
        period: timedelta,
    ):
        self._checks = [(check, Debouncer()) for check in checks]
        self._lease = lease
        self._ledger = ledger
        self._clock = clock
        self._period = period

    async def lifetime(self, app: web.Application) -> AsyncIterator[None]:
        """A `cleanup_ctx`; add it after what the checks work with."""
        app[SUPERVISOR].spawn("periodic drift checks", self.run())
        yield

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            soon = not self._lease.held or await self.run_once()
            await asyncio.sleep((_SOON if soon else self._period).total_seconds())

    async def run_once(self) -> bool:
        """Compare, and correct what is due; whether drift is pending."""
        return any([await self._run(check, debouncer) for check, debouncer in self._checks])

    async def _run(self, check: DriftCheck, debouncer: Debouncer) -> bool:
        found: defaultdict[str, list[Drift]] = defaultdict(list)
        try:
            for one in await check.differences():
                found[one.session_id].append(one)
        except AppError as error:
            log.warning(
                "periodic_checks.waiting", check=type(check).__name__, code=error.code, error=error.message
            )
            return False
        debouncer.retain(found.keys())
        pending = False
        for session_id, differences in found.items():
            due = debouncer.due(session_id, differences, self._clock.now())
            pending = pending or len(due) < len(differences)
            debouncer.corrected([one for one in due if await self._correct(check, one)], self._clock.now())
        return pending

    async def _correct(self, check: DriftCheck, drift: Drift) -> bool:
        """False if it has to be tried again."""
        try:
            self._lease.require()
            correction = await check.correct(drift)
            if correction is not None:
                await self._ledger.record([correction])
        except AppError as error:
            log.warning(
                "drift.not_repaired", session_id=drift.session_id, kind=drift.kind, error=error.message
            )
            return False
        return True
