"""A recorder's job: what is wanted, how far it is, and who holds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.egress.engine import EgressOrder, EgressStatus, EncodingOptions
from shared.egress.keys import private_prefix

# How often the holder shows that it lives, and how long a job that stays the same is believed held.
BEAT_SECONDS = 2.0
PATIENCE_SECONDS = 6.0
# A recorder that was not seen for so long is none.
RECORDER_LOST_AFTER = timedelta(seconds=15)


class Wanted(StrEnum):
    RUNNING = "running"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class Gap:
    """What is missing from the file: `seconds` of it, where it has run for `after_seconds`."""

    after_seconds: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Result:
    """What an egress left: bytes and seconds. `file_size` is None where no file was asked for."""

    duration: float
    segments: int
    segments_size: int
    file_size: int | None


@dataclass(frozen=True, kw_only=True)
class Job:
    """One egress of the embedded engine.

    `epoch` grows each time that a recorder takes the job, `beat` while it holds it. Who holds an epoch of the
    job is the only one to write under it.
    """

    key: str
    egress_id: str
    session_id: str
    segments_prefix: str | None
    file_key: str | None
    look: EncodingOptions
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

    @property
    def folder(self) -> str:
        """Where its segments are stored; those that nobody is to play lie apart and go with the job's end."""
        return self.segments_prefix or private_prefix(self.session_id, self.key)

    def segment_path(self, epoch: int, n: int) -> str:
        return f"{self.folder}/{epoch}/{n:06d}.ts"


def egress_id_of(key: str) -> str:
    """LiveKit's form of an id, the same for the same key: the end of a UUIDv7 is its random part."""
    return f"EG_{key[-12:]}"


def job_of(order: EgressOrder, created_at: datetime) -> Job:
    return Job(
        key=order.key,
        egress_id=egress_id_of(order.key),
        session_id=order.session_id,
        segments_prefix=order.segments_prefix,
        file_key=order.file_key,
        look=order.encoding,
        created_at=created_at,
    )


@dataclass(frozen=True, kw_only=True)
class RecorderSeen:
    """A recorder process: how many jobs it has and may have."""

    id: str
    seen_at: datetime
    jobs: int
    capacity: int


def alive(recorders: Sequence[RecorderSeen], now: datetime) -> list[RecorderSeen]:
    return [recorder for recorder in recorders if now - recorder.seen_at < RECORDER_LOST_AFTER]
