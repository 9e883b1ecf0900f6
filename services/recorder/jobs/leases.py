"""Which jobs are anybody's to take. Pure: told what was seen and when, on one's own steady clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.egress.jobs import PATIENCE_SECONDS, Job

# Who did not look for so long cannot say that nothing changed meanwhile.
_LOOKED_AWAY = 2.5
# By how much a recorder lets others be faster, for each job that it has.
_MODESTY = 0.3


@dataclass(frozen=True)
class _Seen:
    lease: tuple[int, int, str | None]
    since: float


class Leases:
    """Remembers since when each open job's lease has been as it is."""

    def __init__(self, recorder_id: str):
        self._me = recorder_id
        self._seen: dict[str, _Seen] = {}
        self._looked_at: float | None = None

    def look_away(self) -> None:
        """Nothing could be seen: whoever seems dead may only have been as blind as we were."""
        self._looked_at = None

    def free(self, jobs: Iterable[Job], now: float, *, held: int) -> list[Job]:
        """Those of the open `jobs`, none of them ours now, that may be taken; `held` is how many we have."""
        if self._looked_at is None or now - self._looked_at > _LOOKED_AWAY:
            self._seen = {}
        self._looked_at = now
        self._seen = {job.key: self._look(job, now) for job in jobs}
        return [job for job in jobs if self._is_free(job, now - self._seen[job.key].since, held)]

    def _look(self, job: Job, now: float) -> _Seen:
        lease = (job.epoch, job.beat, job.recorder_id)
        seen = self._seen.get(job.key)
        return seen if seen is not None and seen.lease == lease else _Seen(lease, now)

    def _is_free(self, job: Job, unchanged_for: float, held: int) -> bool:
        """What is marked as ours and is not: an earlier process of this recorder had it, and died."""
        if job.recorder_id == self._me:
            return True
        return unchanged_for >= (held * _MODESTY if job.recorder_id is None else PATIENCE_SECONDS)
