"""The engine port: one egress turns what a room shows into an HLS stream, a file, or both."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import BeforeValidator

from shared.contracts.states import Layout, VideoFit


class EgressStatus(StrEnum):
    """LiveKit's states of an egress, in lower case."""

    STARTING = "starting"
    ACTIVE = "active"
    ENDING = "ending"
    COMPLETE = "complete"
    FAILED = "failed"
    ABORTED = "aborted"
    LIMIT_REACHED = "limit_reached"

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self not in {EgressStatus.STARTING, EgressStatus.ACTIVE, EgressStatus.ENDING}


def _layout(name: object) -> object:
    """Earlier releases stored LiveKit's names."""
    return name.replace("-", "_") if isinstance(name, str) else name


@dataclass(frozen=True, kw_only=True)
class EncodingOptions:
    """How the picture is composed and encoded; sizes in pixels, bit rates in kbit/s, a segment in seconds.

    `video_fit` is for Greenroom's recorders alone.
    """

    layout: Annotated[Layout, BeforeValidator(_layout)] = Layout.GRID
    width: int = 1280
    height: int = 720
    frame_rate: int = 30
    video_kbps: int = 2500
    audio_kbps: int = 128
    segment_seconds: int = 2
    video_fit: VideoFit = VideoFit.FILL


@dataclass(frozen=True, kw_only=True)
class EgressOrder:
    """An egress to be made of a session's room, named by our own `key`.

    Every output path contains the key, so that an egress can be found whose start had no answer.
    `segments_prefix` is the storage folder of the stream, `file_key` the storage key of the MP4;
    at least one of the two is given.
    """

    key: str
    session_id: str
    segments_prefix: str | None
    file_key: str | None
    encoding: EncodingOptions


@dataclass(frozen=True, kw_only=True)
class EgressInfo:
    """An egress as its engine knows it; `key` is None if it is none of ours."""

    egress_id: str
    session_id: str
    key: str | None
    status: EgressStatus
    error: str | None
    started_at: datetime | None
    ended_at: datetime | None


class Engine(Protocol):
    """Every call has a deadline of its own, far below the 20 s that LiveKit waits for a worker.

    `start_expires_after` an unanswered start, it will no longer happen. `checked_every` is how often a
    running egress is looked up. `keeps_records`: the engine writes records of segments, and no playlists of
    its own.
    """

    start_expires_after: timedelta
    checked_every: timedelta
    keeps_records: bool

    async def start(self, order: EgressOrder) -> str:
        """Begin; returns the engine's id of the egress.

        Raises `Unavailable` if the outcome is unknown: look the key up by `list` before another try.
        """
        ...

    async def stop(self, egress_id: str) -> None:
        """Ask it to end; does nothing if it has ended or is unknown. Raises `Unavailable`."""
        ...

    async def list(self, session_id: str) -> Sequence[EgressInfo]:
        """The session's egresses; ended ones are listed for a while. Raises `Unavailable`."""
        ...

    async def list_running(self) -> Sequence[EgressInfo]:
        """All that are not over, of all sessions. Raises `Unavailable`."""
        ...

    async def answers(
        self, egress_id: str, session_id: str, status: EgressStatus, *, by_presence: bool = True
    ) -> bool | None:
        """Whether the worker of an egress that is not over is there; None if that is not known.

        `by_presence`: if the engine has lost its records, the egress's participant in the room tells, who
        may outlive the worker. Raises `Unavailable`.
        """
        ...

    async def problem(self, *, starting: bool) -> str | None:
        """What keeps it from running, or if `starting` from starting, an egress: a sentence, None if nothing.

        Raises `Unavailable`.
        """
        ...

    async def remake(self, key: str) -> bool:
        """Make the file of a failed egress once more; False if it cannot. Raises `Unavailable`."""
        ...
