"""A recorder's job: what is wanted, its state, and which recorder holds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.egress.engine import EgressOrder, EgressStatus, EncodingOptions
from shared.egress.keys import private_prefix
from shared.runtime import tracing

# How often a holder renews its leases, and after how long a lease that was not renewed expires.
HEARTBEAT_SECONDS = 2.0
LEASE_SECONDS = 6.0
# A recorder whose last heartbeat is older counts as dead.
RECORDER_LOST_AFTER = timedelta(seconds=15)


class Wanted(StrEnum):
    RUNNING = "running"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class Gap:
    """What is missing from the file: `seconds`, after the first `after_seconds` of it."""

    after_seconds: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Result:
    """What an egress produced: sizes in bytes, `duration` in seconds; `file_size` is None without a file."""

    duration: float
    segments: int
    segments_size: int
    file_size: int | None


@dataclass(frozen=True, kw_only=True)
class Job:
    """One egress of the embedded engine, ordered in the step of a trace `traceparent`.

    `epoch` grows each time that a recorder takes the job, `beat` with each renewal of its lease. Only the
    holder of an epoch writes under it.
    """

    key: str
    egress_id: str
    session_id: str
    segments_prefix: str | None
    file_key: str | None
    encoding: EncodingOptions
    created_at: datetime
    wanted: Wanted = Wanted.RUNNING
    status: EgressStatus = EgressStatus.STARTING
    error: str | None = None
    epoch: int = 0
    beat: int = 0
    recorder_id: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    gaps: tuple[Gap, ...] = ()
    result: Result | None = None
    traceparent: str | None = None

    @property
    def folder(self) -> str:
        """Where its segments are stored; those of a file alone are private and deleted at the job's end."""
        return self.segments_prefix or private_prefix(self.session_id, self.key)

    def segment_path(self, epoch: int, n: int) -> str:
        return f"{self.folder}/{epoch}/{n:06d}.ts"


def egress_id_of(key: str) -> str:
    """LiveKit's form of an id, the same for the same key: the end of a UUIDv7 is its random part."""
    return f"EG_{key[-12:]}"


def job_of(order: EgressOrder, created_at: datetime) -> Job:
    return Job(
        egress_id=egress_id_of(order.key),
        created_at=created_at,
        traceparent=tracing.sampled(),
        **vars(order),
    )


@dataclass(frozen=True, kw_only=True)
class RegisteredRecorder:
    """A recorder process: how many jobs it has and may have."""

    id: str
    seen_at: datetime
    jobs: int
    capacity: int


def live_recorders(recorders: Sequence[RegisteredRecorder], now: datetime) -> list[RegisteredRecorder]:
    return [recorder for recorder in recorders if now - recorder.seen_at < RECORDER_LOST_AFTER]
