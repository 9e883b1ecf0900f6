"""A segment: two seconds or so of a stream, stored as one file."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One stored MPEG-TS file of an egress.

    Segments of one epoch carry on each other's timestamps; `epoch` grows when another recorder takes over,
    `n` counts from 0 within it. `path` is the storage key, `starts_at` the time of its first picture (HLS
    program date-time), `duration` in seconds, `size` in bytes. `discontinuity`: something broke before it, so
    that timestamps do not carry on.
    """

    key: str
    session_id: str
    epoch: int
    n: int
    path: str
    starts_at: datetime
    duration: float
    size: int
    discontinuity: bool = False

    @property
    def id(self) -> str:
        return f"{self.key}:{self.epoch}:{self.n}"
