"""The loop that recomputes what has changed: immediately after quiet, else about once a second."""

import asyncio
import time
from contextlib import AbstractContextManager
from datetime import timedelta

import structlog
from prometheus_client import Counter, Histogram

from services.attendance.recompute.queue import RecomputeQueue, RecomputeTask
from services.attendance.recompute.recompute import AttendanceRecompute
from shared.errors import AppError
from shared.runtime import tracing
from shared.runtime.log import bind_session
from shared.runtime.tracing import Span, SpanKind

log = structlog.get_logger(__name__)

RECOMPUTED = Histogram(
    "greenroom_attendance_recompute_seconds",
    "Time to bring one changed session up to date",
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60),
)
FAILED = Counter("greenroom_attendance_recompute_failed_total", "Recomputations that have to be repeated")

_AT_ONCE = 8


class RecomputeWorker:
    """Sessions are independent: one that is large or fails holds up no other.

    A session rests for as long as its recomputation took. So under a rush the database keeps half of its time
    for recording events, and those who join and leave meanwhile are written once.
    """

    def __init__(
        self, queue: RecomputeQueue, recompute: AttendanceRecompute, *, period: float, adopt_after: float
    ):
        self._queue = queue
        self._recompute = recompute
        self._period = period
        self._adopt_after = adopt_after
        self._limit = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._adopt())
            while True:
                await self._queue.wait()
                for task in self._queue.take():
                    tasks.create_task(self._run_task(task))
                await asyncio.sleep(self._period)

    async def run_once(self) -> None:
        """Everything that waits now, to its end."""
        await asyncio.gather(*(self._run_task(task) for task in self._queue.take()))

    async def _adopt(self) -> None:
        while True:
            try:
                await self._queue.adopt(timedelta(seconds=self._adopt_after))
            except AppError as error:
                log.warning("attendance.adopt_failed", code=error.code, error=error.message)
            await asyncio.sleep(self._adopt_after / 2)

    async def _run_task(self, task: RecomputeTask) -> None:
        completed = False
        try:
            async with self._limit:
                started = time.perf_counter()
                bind_session(task.session_id)
                with RECOMPUTED.time(), _step(task):
                    again = await self._recompute.recompute(task.session_id, task.people)
                await self._queue.complete(task, again)
            completed = True
            await asyncio.sleep(time.perf_counter() - started)
        except AppError as error:
            log.warning("attendance.recompute_failed", session_id=task.session_id, code=error.code)
        except Exception:
            # One session that cannot be recomputed must not end the counting of all others.
            log.exception("attendance.recompute_failed", session_id=task.session_id)
        finally:
            # Also at the end of this process, or when a driver lets its own cancellation escape.
            if not completed:
                FAILED.inc()
                self._queue.give_back(task)
            self._queue.release(task)


def _step(task: RecomputeTask) -> AbstractContextManager[Span]:
    """Of the traces of all that asked for it; what nobody recorded asked for is in none."""
    if not task.causes:
        return tracing.NOTHING
    attributes = {"greenroom.session_id": task.session_id}
    return tracing.of_several("recompute attendance", SpanKind.INTERNAL, attributes, task.causes)
