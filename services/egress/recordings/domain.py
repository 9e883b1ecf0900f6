"""A recording: recording -> completed, or -> failed and perhaps completed after all. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.egress.egresses.domain import PlannedEgress
from shared.contracts.event import Event
from shared.contracts.states import RecordingState, RecordingStatus, SessionState
from shared.contracts.stream_and_recording_events import RecordingChanged, RecordingDeleted
from shared.egress.engine import EgressStatus
from shared.egress.keys import file_key, key_of
from shared.errors import Conflict

_UNSAFE = re.compile(r'[\\/:*?"<>|]+')
_NOTHING = "Nothing was recorded: it ended before any media came"
# LiveKit Egress's message for the same, which means nothing to hosts.
_NO_START = "Start signal not received"


@dataclass(kw_only=True)
class Recording:
    """`active_session_id` is the session while it is recorded (unique: one at a time).

    `duration` in whole seconds and `file_size` in bytes are null until the file is stored.
    """

    id: str
    version: int = 1
    organization_id: str
    library_id: str
    session_id: str
    host_id: str
    name: str
    status: RecordingStatus = RecordingStatus.RECORDING
    active_session_id: str | None = None
    storage_type: str
    egress_id: str | None = None
    duration: int | None = None
    file_size: int | None = None
    retry_count: int = 0
    error: str | None = None
    stop_requested_at: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def key(self) -> str:
        """Of its egress."""
        return key_of(self.id)

    @property
    def file_key(self) -> str:
        return file_key(self.session_id, self.key)

    @property
    def completed(self) -> bool:
        return self.status is RecordingStatus.COMPLETED

    def begun(self) -> Sequence[Event]:
        return self._changed()

    def rename(self, name: str, now: datetime) -> Sequence[Event]:
        if name == self.name:
            return []
        self.name, self.updated_at = name, now
        return self._changed()

    def ask_to_stop(self, now: datetime) -> Sequence[Event]:
        """It has been asked to end; it does once its egress has."""
        if self.status is not RecordingStatus.RECORDING or self.stop_requested_at is not None:
            return []
        self.stop_requested_at = self.updated_at = now
        return self._changed()

    def observe(self, egress: PlannedEgress, now: datetime) -> Sequence[Event]:
        """Apply the state of its egress while that runs."""
        if self.status is not RecordingStatus.RECORDING:
            return []
        if (self.egress_id, self.error) == (egress.egress_id, egress.error):
            return []
        self.egress_id, self.error, self.updated_at = egress.egress_id, egress.error, now
        return self._changed()

    def finish(self, egress: PlannedEgress, size: int | None, now: datetime) -> Sequence[Event]:
        """Its egress is over; `size` is that of the stored file, None if there is none.

        A file may still arrive after the recording was taken to have failed.
        """
        if self.completed or (size is None and self.status is RecordingStatus.FAILED):
            return []
        self.egress_id = egress.egress_id
        if size is None:
            return self.fail(_why(egress), now)
        seconds = egress.made.duration if egress.made else _between(egress)
        self.duration = None if seconds is None else round(seconds)
        self.file_size = size
        self.error = egress.details or (None if egress.presumed else egress.error)
        return self._set_status(RecordingStatus.COMPLETED, now)

    def fail(self, reason: str, now: datetime) -> Sequence[Event]:
        self.error, self.file_size = reason, None
        return self._set_status(RecordingStatus.FAILED, now)

    def retry(self, now: datetime) -> Sequence[Event]:
        """Have its file made or found again. Raises `Conflict` unless it has failed."""
        if self.status is not RecordingStatus.FAILED:
            raise Conflict(
                f"The recording has not failed; it is {self.status.value}", code="recording_not_failed"
            )
        self.retry_count += 1
        self.error = self.stop_requested_at = None
        return self._set_status(RecordingStatus.RECORDING, now)

    def _set_status(self, status: RecordingStatus, now: datetime) -> Sequence[Event]:
        self.status, self.active_session_id, self.updated_at = status, None, now
        return self._changed()

    def check_deletable(self) -> None:
        """Raises `Conflict` while it is being recorded."""
        if self.status is RecordingStatus.RECORDING:
            raise Conflict("The recording is still running; stop it first", code="recording_active")

    def delete(self) -> Sequence[Event]:
        self.check_deletable()
        return [RecordingDeleted(recording=self.state())]

    def withdraw(self) -> Sequence[Event]:
        """No egress was planned for it after all."""
        return [RecordingDeleted(recording=self.state())]

    @property
    def file_name(self) -> str:
        """The name the file is saved under, without characters special to file systems or headers."""
        printable = "".join(c for c in self.name if unicodedata.category(c)[0] != "C")
        name = _UNSAFE.sub("_", printable).strip(" .")[:120]
        return f"{name or 'recording'}.mp4"

    def _changed(self) -> Sequence[Event]:
        return [RecordingChanged(recording=self.state())]

    def state(self) -> RecordingState:
        return RecordingState.model_validate(self, from_attributes=True)


def new_recording(id: str, session: SessionState, storage_type: str, now: datetime) -> Recording:
    return Recording(
        id=id,
        organization_id=session.organization_id,
        library_id=session.library_id,
        session_id=session.id,
        host_id=session.host_id,
        name=f"{session.title[:200]} {now:%Y-%m-%d %H:%M} UTC",
        active_session_id=session.id,
        storage_type=storage_type,
        created_at=now,
        updated_at=now,
    )


def _why(egress: PlannedEgress) -> str:
    if egress.error and egress.error != _NO_START:
        return egress.error
    if egress.status is EgressStatus.COMPLETE:
        return "The file is not in the storage"
    return _NOTHING


def _between(egress: PlannedEgress) -> float | None:
    if egress.started_at is None or egress.ended_at is None:
        return None
    return (egress.ended_at - egress.started_at).total_seconds()
