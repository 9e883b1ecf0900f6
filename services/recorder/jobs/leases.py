"""Which jobs may be taken. Pure: works on what was seen and when, on the recorder's own steady clock."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.egress.jobs import LEASE_SECONDS, Job

# After a longer pause between two looks it is unknown whether a lease changed meanwhile.
_LONGEST_PAUSE = 2.5
# By how much a recorder lets others be faster, for each job that it has.
_DELAY_PER_JOB = 0.3


@dataclass(frozen=True)
class _Lease:
    value: tuple[int, int, str | None]
    since: float


class Leases:
    """Remembers since when each open job's lease has not changed."""

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
