"""Streams and recordings."""

from datetime import datetime
from enum import StrEnum

from shared.contracts.states.state import State


class StreamWish(State):
    """What the session wants of its stream: whether, with a recording or without, and which attempt it is.

    `attempt` grows whenever a stream is asked for again: one that has died is then replaced.
    """

    wanted: bool = False
    record: bool = False
    attempt: int = 0


class StreamStatus(StrEnum):
    """`failed`: it ended by itself and is still wanted."""

    NONE = "none"
    STARTING = "starting"
    ACTIVE = "active"
    ENDING = "ending"
    ENDED = "ended"
    FAILED = "failed"


class StreamState(State):
    """A session's HLS stream; `version` grows by one with each change.

    `hls_path` begins with "/hls/" and is null until there is something to play. `error` says, for people,
    why it is not running.
    """

    session_id: str
    version: int
    status: StreamStatus
    hls_path: str | None
    error: str | None
    updated_at: datetime


class RecordingStatus(StrEnum):
    RECORDING = "recording"
    COMPLETED = "completed"
    FAILED = "failed"


class RecordingState(State):
    """A recording in full; `version` grows by one with each change.

    `duration` in whole seconds, `file_size` in bytes.
    """

    id: str
    version: int
    organization_id: str
    library_id: str
    session_id: str
    host_id: str
    name: str
    status: RecordingStatus
    duration: int | None
    file_size: int | None
    error: str | None
    stop_requested_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
