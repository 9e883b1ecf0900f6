"""The recorder at work: takes jobs, holds their leases and releases them in the end."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from prometheus_client import Counter, Gauge

from services.recorder.jobs.context import JobContext
from services.recorder.jobs.job_runner import JobRunner
from shared.egress.job_repository import RecorderRepository
from shared.egress.jobs import HEARTBEAT_SECONDS, LEASE_SECONDS, Job, Wanted
from shared.errors import Unavailable
from shared.runtime.backoff import until_available

# After a longer pause between two looks it is unknown whether a lease changed meanwhile.
_LONGEST_PAUSE = 2.5
# By how much a recorder lets others be faster, for each job that it has.
_DELAY_PER_JOB = 0.3


@dataclass(frozen=True)
class _Lease:
    value: tuple[int, int, str | None]
    since: float


class Leases:
    """Which jobs may be taken: remembers since when each lease has not changed, on our own clock. Pure."""

    def __init__(self, recorder_id: str):
        self._recorder_id = recorder_id
        self._leases: dict[str, _Lease] = {}
        self._looked_at: float | None = None

    def reset(self) -> None:
        """The database was unavailable: holders that seem dead may only have been cut off as we were."""
        self._looked_at = None

    def free(self, jobs: Iterable[Job], now: float, *, held: int) -> list[Job]:
        """Those of the open `jobs`, none of them ours now, that may be taken; `held` is how many we have."""
        if self._looked_at is None or now - self._looked_at > _LONGEST_PAUSE:
            self._leases = {}
        self._looked_at = now
        self._leases = {job.key: self._lease(job, now) for job in jobs}
        return [job for job in jobs if self._is_free(job, now - self._leases[job.key].since, held)]

    def _lease(self, job: Job, now: float) -> _Lease:
        value = (job.epoch, job.beat, job.recorder_id)
        known = self._leases.get(job.key)
        return known if known is not None and known.value == value else _Lease(value, now)

    def _is_free(self, job: Job, unchanged_for: float, held: int) -> bool:
        """A job marked as ours that we do not run: an earlier process of this recorder had it and died."""
        if job.recorder_id == self._recorder_id:
            return True
        return unchanged_for >= (held * _DELAY_PER_JOB if job.recorder_id is None else LEASE_SECONDS)


log = structlog.get_logger(__name__)

JOBS = Gauge("greenroom_recorder_jobs", "Jobs that this recorder has")
CAPACITY = Gauge("greenroom_recorder_capacity", "Jobs that this recorder takes at most")
ENDED = Counter(
    "greenroom_recorder_jobs_ended_total", "Jobs that ended here, by their last state", ["status"]
)

_POLL_SECONDS = 0.4
_STOP_SECONDS = 8.0


class Worker:
    def __init__(
        self, recorder_id: str, context: JobContext, recorders: RecorderRepository, *, max_jobs: int
    ):
        self._id = recorder_id
        self._context = context
        self._recorders = recorders
        self._max_jobs = max_jobs
        CAPACITY.set(max_jobs)
        self._leases = Leases(recorder_id)
        self._runners: dict[str, JobRunner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        self._failed = asyncio.Event()

    async def run(self) -> None:
        """Poll and take jobs until cancelled; a job that fails by a bug ends the process."""
        await self._recover_spool()
        while not self._failed.is_set():
            await self._poll()
            await asyncio.sleep(_POLL_SECONDS)
        raise RuntimeError("a job failed by a bug; see the log before this")

    async def heartbeat(self) -> None:
        """Renew the leases, and find out which were taken by other recorders."""
        while True:
            for runner in list(self._runners.values()):
                await self._renew(runner)
            await self._register()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def stop(self) -> None:
        """Let others have the jobs."""
        self._stopping = True
        for runner in self._runners.values():
            runner.hand_over()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=_STOP_SECONDS)
        try:
            await self._recorders.remove(self._id)
        except Unavailable as error:
            log.warning("recorder.not_removed", error=error.message)

    def storage_is_full(self, key: str) -> None:
        if key in self._runners:
            self._runners[key].storage_is_full()

    async def _poll(self) -> None:
        try:
            jobs = await self._context.jobs.open()
            for job in jobs:
                if job.key in self._runners:
                    self._runners[job.key].update(job)
            others = [job for job in jobs if job.key not in self._runners]
            await self._take(self._leases.free(others, time.monotonic(), held=len(self._runners)))
        except Unavailable as error:
            self._leases.reset()
            log.warning("recorder.jobs_unavailable", error=error.message)

    async def _take(self, free: list[Job]) -> None:
        for job in free:
            if self._stopping:
                return
            # A job to be stopped is only finalized, not recorded: there is always room for that.
            if len(self._runners) >= self._max_jobs and job.wanted is Wanted.RUNNING:
                continue
            taken = await self._context.jobs.take(job, self._id)
            if taken is not None:
                self._start(taken)

    def _start(self, job: Job) -> None:
        runner = self._runners[job.key] = JobRunner(job, self._context)
        task = self._tasks[job.key] = asyncio.create_task(runner.run(), name=f"job {job.key}")
        task.add_done_callback(lambda done: self._ended(job, done))
        JOBS.set(len(self._runners))

    def _ended(self, job: Job, task: asyncio.Task[None]) -> None:
        runner = self._runners.pop(job.key, None)
        self._tasks.pop(job.key, None)
        JOBS.set(len(self._runners))
        ENDED.labels(runner.job.status if runner else "unknown").inc()
        error = None if task.cancelled() else task.exception()
        if error is not None or (task.cancelled() and not self._stopping):
            log.critical("job.fault", job=job.key, cancelled=task.cancelled(), exc_info=error)
            self._failed.set()

    async def _renew(self, runner: JobRunner) -> None:
        before = self._context.clock.now()
        try:
            held = await self._context.jobs.renew(runner.job)
        except Unavailable as error:
            log.warning("job.lease_not_renewed", job=runner.job.key, error=error.message)
            return
        if held:
            runner.lease_renewed(before)
        elif runner.job.key in self._runners:
            runner.lose_lease()

    async def _register(self) -> None:
        now = self._context.clock.now()
        try:
            await self._recorders.register(self._id, now, jobs=len(self._runners), capacity=self._max_jobs)
        except Unavailable as error:
            log.warning("recorder.not_registered", error=error.message)

    async def _recover_spool(self) -> None:
        """Upload what an earlier process of this recorder left, unless its job is over."""
        for spooled in await asyncio.to_thread(self._context.spool.waiting):
            key = spooled.segment.key
            job = await until_available("jobs", lambda key=key: self._context.jobs.find(key))  # type: ignore[misc]
            if job is None or job.status.over:
                await asyncio.to_thread(self._context.spool.forget, key)
            else:
                self._context.uploader.add(spooled)
