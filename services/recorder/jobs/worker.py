"""The recorder at work: looks for jobs, holds those that it has, lets go of them in the end."""

from __future__ import annotations

import asyncio
import time

import structlog
from prometheus_client import Gauge

from services.recorder.jobs.context import JobContext
from services.recorder.jobs.job_runner import JobRunner
from services.recorder.jobs.leases import Leases
from shared.egress.job_repository import RecorderRepository
from shared.egress.jobs import BEAT_SECONDS, Job, Wanted
from shared.errors import Unavailable
from shared.runtime.backoff import until_available

log = structlog.get_logger(__name__)

JOBS = Gauge("greenroom_recorder_jobs", "Jobs that this recorder has")

_LOOK_SECONDS = 0.4
_STOP_SECONDS = 8.0


class Worker:
    def __init__(
        self, recorder_id: str, context: JobContext, recorders: RecorderRepository, *, max_jobs: int
    ):
        self._id = recorder_id
        self._context = context
        self._recorders = recorders
        self._max_jobs = max_jobs
        self._leases = Leases(recorder_id)
        self._runs: dict[str, JobRunner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        self._broken = asyncio.Event()

    async def run(self) -> None:
        """Look and take until cancelled; a job that ends by a fault of ours ends the process."""
        await self._take_up_leftovers()
        while not self._broken.is_set():
            await self._look()
            await asyncio.sleep(_LOOK_SECONDS)
        raise RuntimeError("a job ended by a fault; see the log before this")

    async def beat(self) -> None:
        """Show that we live, and find out whether others thought that we did not."""
        while True:
            for run in list(self._runs.values()):
                await self._beat(run)
            await self._be_seen()
            await asyncio.sleep(BEAT_SECONDS)

    async def stop(self) -> None:
        """Let others have the jobs."""
        self._stopping = True
        for run in self._runs.values():
            run.hand_over()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=_STOP_SECONDS)
        try:
            await self._recorders.forget(self._id)
        except Unavailable as error:
            log.warning("recorder.not_forgotten", error=error.message)

    def full(self, key: str) -> None:
        """The storage is full."""
        if key in self._runs:
            self._runs[key].full()

    async def _look(self) -> None:
        try:
            jobs = await self._context.jobs.open()
            for job in jobs:
                if job.key in self._runs:
                    self._runs[job.key].look(job)
            others = [job for job in jobs if job.key not in self._runs]
            await self._take(self._leases.free(others, time.monotonic(), held=len(self._runs)))
        except Unavailable as error:
            self._leases.look_away()
            log.warning("recorder.blind", error=error.message)

    async def _take(self, free: list[Job]) -> None:
        for job in free:
            if self._stopping:
                return
            # What is to be stopped is not filmed any more, only finished: there is always room for that.
            if len(self._runs) >= self._max_jobs and job.wanted is Wanted.RUNNING:
                continue
            taken = await self._context.jobs.take(job, self._id)
            if taken is not None:
                self._begin(taken)

    def _begin(self, job: Job) -> None:
        run = self._runs[job.key] = JobRunner(job, self._context)
        task = self._tasks[job.key] = asyncio.create_task(run.run(), name=f"job {job.key}")
        task.add_done_callback(lambda done: self._ended(job, done))
        JOBS.set(len(self._runs))

    def _ended(self, job: Job, task: asyncio.Task[None]) -> None:
        self._runs.pop(job.key, None)
        self._tasks.pop(job.key, None)
        JOBS.set(len(self._runs))
        error = None if task.cancelled() else task.exception()
        if error is not None or (task.cancelled() and not self._stopping):
            log.critical("job.fault", job=job.key, cancelled=task.cancelled(), exc_info=error)
            self._broken.set()

    async def _beat(self, run: JobRunner) -> None:
        before = self._context.clock.now()
        try:
            held = await self._context.jobs.beat(run.job)
        except Unavailable as error:
            log.warning("recorder.not_beaten", job=run.job.key, error=error.message)
            return
        if held:
            run.beaten(before)
        elif run.job.key in self._runs:
            run.lose()

    async def _be_seen(self) -> None:
        now = self._context.clock.now()
        try:
            await self._recorders.seen(self._id, now, jobs=len(self._runs), capacity=self._max_jobs)
        except Unavailable as error:
            log.warning("recorder.not_seen", error=error.message)

    async def _take_up_leftovers(self) -> None:
        """Store what an earlier process of this recorder left, unless its job is over."""
        for spooled in await asyncio.to_thread(self._context.spool.waiting):
            key = spooled.segment.key
            job = await until_available("jobs", lambda key=key: self._context.jobs.find(key))  # type: ignore[misc]
            if job is None or job.status.over:
                await asyncio.to_thread(self._context.spool.forget, key)
            else:
                self._context.uploader.add(spooled)
