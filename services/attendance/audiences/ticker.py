"""The loop that recomputes what has changed: at once after quiet, else about once a second."""

import asyncio
import time
from datetime import timedelta

import structlog
from prometheus_client import Counter, Histogram

from services.attendance.audiences.changes import Change, Changes
from services.attendance.audiences.derivation import Derivation
from shared.errors import AppError

log = structlog.get_logger(__name__)

RECOMPUTED = Histogram(
    "greenroom_attendance_recompute_seconds",
    "Time to bring one changed session up to date",
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60),
)
FAILED = Counter("greenroom_attendance_recompute_failed_total", "Recomputations that have to be repeated")

_AT_ONCE = 8


class Ticker:
    """Sessions are independent: one that is large or fails holds up no other.

    A session rests for as long as its recomputation took. So under a rush the database keeps half of
    its time for taking in events, and those who come and go meanwhile are written once.
    """

    def __init__(self, changes: Changes, derivation: Derivation, *, period: float, adopt_after: float):
        self._changes = changes
        self._derivation = derivation
        self._period = period
        self._adopt_after = adopt_after
        self._limit = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._adopt())
            while True:
                await self._changes.wait()
                for change in self._changes.take():
                    tasks.create_task(self._settle(change))
                await asyncio.sleep(self._period)

    async def tick(self) -> None:
        """One round: everything that waits now, to its end."""
        await asyncio.gather(*(self._settle(change) for change in self._changes.take()))

    async def _adopt(self) -> None:
        while True:
            try:
                await self._changes.adopt(timedelta(seconds=self._adopt_after))
            except AppError as error:
                log.warning("attendance.adopt_failed", code=error.code, error=error.message)
            await asyncio.sleep(self._adopt_after / 2)

    async def _settle(self, change: Change) -> None:
        try:
            await self._recompute(change)
        except AppError as error:
            self._failed(change)
            log.warning("attendance.recompute_failed", session_id=change.session_id, code=error.code)
        except Exception:
            # One session that cannot be recomputed must not end the counting of all others.
            self._failed(change)
            log.exception("attendance.recompute_failed", session_id=change.session_id)
        except asyncio.CancelledError:
            # The end of this process, or a driver's own: either way the change is not settled.
            self._failed(change)
            raise
        finally:
            self._changes.release(change)

    async def _recompute(self, change: Change) -> None:
        async with self._limit:
            started = time.perf_counter()
            with RECOMPUTED.time():
                again = await self._derivation.recompute(change.session_id, change.people)
            await self._changes.settle(change, again)
        await asyncio.sleep(time.perf_counter() - started)

    def _failed(self, change: Change) -> None:
        FAILED.inc()
        self._changes.give_back(change)
