"""The engine that comes with Greenroom: an egress is a job that a recorder process takes."""

from collections.abc import Sequence
from datetime import timedelta

from shared.clock import Clock
from shared.egress.engine import EgressInfo, EgressOrder, EgressStatus
from shared.egress.job_repository import JobRepository, RecorderRepository
from shared.egress.jobs import Job, job_of, live_recorders


class EmbeddedEngine:
    """Orders become jobs, whether or not a recorder runs now: until one takes it, an egress is starting."""

    start_expires_after = timedelta()
    checked_every = timedelta(seconds=8)
    keeps_records = True

    def __init__(self, jobs: JobRepository, recorders: RecorderRepository, clock: Clock):
        self._jobs = jobs
        self._recorders = recorders
        self._clock = clock

    async def start(self, order: EgressOrder) -> str:
        """Start, once for each key. Raises `Unavailable`."""
        job = job_of(order, self._clock.now())
        await self._jobs.add(job)
        return job.egress_id

    async def stop(self, egress_id: str) -> None:
        await self._jobs.stop(egress_id)

    async def list(self, session_id: str) -> Sequence[EgressInfo]:
        return [_info(job) for job in await self._jobs.of_session(session_id)]

    async def list_running(self) -> Sequence[EgressInfo]:
        return [_info(job) for job in await self._jobs.open()]

    async def answers(
        self, egress_id: str, session_id: str, status: EgressStatus, *, by_presence: bool = True
    ) -> bool | None:
        """A job whose recorder died is another's soon: no job is dead, but one may have no recorder now."""
        del status, by_presence  # Its records are ours.
        jobs = await self._jobs.of_session(session_id)
        holder = next((job.recorder_id for job in jobs if job.egress_id == egress_id), None)
        running = live_recorders(await self._recorders.all(), self._clock.now())
        return True if holder in {one.id for one in running} else None

    async def problem(self, *, starting: bool) -> str | None:
        running = live_recorders(await self._recorders.all(), self._clock.now())
        if not running:
            return "No recorder runs"
        busy = all(one.jobs >= one.capacity for one in running)
        return "All recorders are busy" if starting and busy else None

    async def remake(self, key: str) -> bool:
        return await self._jobs.reopen(key)


def _info(job: Job) -> EgressInfo:
    return EgressInfo(
        egress_id=job.egress_id,
        session_id=job.session_id,
        key=job.key,
        status=job.status,
        error=job.error,
        started_at=job.started_at,
        ended_at=job.ended_at,
    )
