"""Streams and recordings, by the egress service: their events carry the full state."""

from typing import ClassVar

from shared.contracts.event import Event
from shared.contracts.states import RecordingState, StreamState


class StreamChanged(Event):
    name: ClassVar[str] = "stream.changed.v1"
    stream: StreamState

    @property
    def key(self) -> str:
        return self.stream.session_id


class RecordingEvent(Event):
    recording: RecordingState

    @property
    def key(self) -> str:
        return self.recording.session_id


class RecordingChanged(RecordingEvent):
    """The recording was started, asked to stop, completed, failed or renamed."""

    name: ClassVar[str] = "recording.changed.v1"


class RecordingDeleted(RecordingEvent):
    name: ClassVar[str] = "recording.deleted.v1"
