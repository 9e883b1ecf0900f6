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
from shared.egress.problems import EgressProblem
from shared.errors import Conflict

_UNSAFE = re.compile(r'[\\/:*?"<>|]+')
_LOST = ": what it had recorded is lost"


@dataclass(frozen=True)
class RecordedFile:
    """The stored file: bytes, and the seconds that its header says; None if it has no header."""

    size: int
    seconds: float | None


@dataclass(kw_only=True)
class Recording:
    """`active_session_id` is the session while it is recorded (unique: one at a time).

    `duration` in whole seconds, `duration_seconds` as exactly as known and `file_size` in bytes are null
    until the file is stored; `started_at` and `finished_at` are those of its egress. `room_id` is None if an
    earlier release stored it. A recording that broke off is `continued_by` another, its next `part`, which
    `continues` it: `broke_off_at` is when the part before made something for the last time. None follows one
    that was asked to stop, also if it is retried later, nor one that `ends_here`.
    """

    id: str
    version: int = 1
    organization_id: str
    library_id: str
    session_id: str
    room_id: str | None = None
    host_id: str
    name: str
    status: RecordingStatus = RecordingStatus.RECORDING
    active_session_id: str | None = None
    storage_type: str
    egress_id: str | None = None
    duration: int | None = None
    duration_seconds: float | None = None
    file_size: int | None = None
    retry_count: int = 0
    error: str | None = None
    stop_requested_at: datetime | None = None
    part: int = 1
    continues: str | None = None
    continued_by: str | None = None
    ends_here: bool = False
    broke_off_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
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
        self.started_at = self.started_at or egress.started_at
        if (self.egress_id, self.error) == (egress.egress_id, egress.error):
            return []
        self.egress_id, self.error, self.updated_at = egress.egress_id, egress.error, now
        return self._changed()

    def settled(self, egress: PlannedEgress) -> bool:
        """Whether its file need not be looked for again: a dead worker writes none until it wakes."""
        return self.completed or (egress.died and self.status is RecordingStatus.FAILED)

    def finish(
        self, egress: PlannedEgress, file: RecordedFile | None, missing: str | None, now: datetime
    ) -> Sequence[Event]:
        """Its egress is over; `file` is the stored one if there is one, `missing` what the engine left out.

        A file may still arrive after the recording was taken to have failed.
        """
        if self.completed or (file is None and self.status is RecordingStatus.FAILED):
            return []
        self.egress_id = egress.egress_id
        self.started_at = (egress.made and egress.made.started_at) or egress.started_at or self.started_at
        self.finished_at = egress.last_alive_at or now
        if file is None:
            return self.fail(_why(egress), now)
        reported = egress.made.duration if egress.made else _between(egress)
        self.duration_seconds = reported if file.seconds is None else round(file.seconds, 3)
        self.duration = None if self.duration_seconds is None else round(self.duration_seconds)
        self.file_size = file.size
        reasons = [self._gap(egress), missing or (None if egress.presumed else egress.error)]
        self.error = "; ".join(reason for reason in reasons if reason) or None
        return self._set_status(RecordingStatus.COMPLETED, now)

    def _gap(self, egress: PlannedEgress) -> str | None:
        """What is missing between the part before and this one: an egress takes seconds to begin its file."""
        began_at = (egress.made and egress.made.started_at) or egress.started_at
        if self.broke_off_at is None or began_at is None:
            return None
        seconds = max(0.0, (began_at - self.broke_off_at).total_seconds())
        return f"{seconds:.0f} s are missing before it: part {self.part - 1} broke off"

    def hand_over(self, id: str, now: datetime, *, lost: bool) -> Sequence[Event]:
        """It broke off: the recording with this id goes on, unless one does or it was to end anyway.

        `lost`: the engine keeps nothing to make its file of.
        """
        running = self.status is RecordingStatus.RECORDING
        to_end = self.ends_here or self.stop_requested_at is not None
        if running or to_end or self.continued_by is not None:
            return []
        self.continued_by, self.updated_at = id, now
        if not self.completed:
            self.error = f"{self.error}{_LOST if lost else ''}{self._handed_over}"
        return self._changed()

    @property
    def _handed_over(self) -> str:
        return f"; part {self.part + 1} goes on"

    def end_here(self, now: datetime) -> Sequence[Event]:
        """The session is recorded otherwise: no part goes on, nor ever will."""
        self.continued_by, self.ends_here, self.updated_at = None, True, now
        self.error = self.error and self.error.removesuffix(self._handed_over).removesuffix(_LOST)
        return self._changed()

    def next_part(self, id: str, broke_off_at: datetime | None, now: datetime) -> "Recording":
        """The recording that goes on with it."""
        name = self.name.removesuffix(f" (part {self.part})")
        return Recording(
            id=id,
            organization_id=self.organization_id,
            library_id=self.library_id,
            session_id=self.session_id,
            room_id=self.room_id,
            host_id=self.host_id,
            name=f"{name} (part {self.part + 1})",
            active_session_id=self.session_id,
            storage_type=self.storage_type,
            part=self.part + 1,
            continues=self.id,
            broke_off_at=broke_off_at,
            created_at=now,
            updated_at=now,
        )

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
        self.error = None
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
        room_id=session.room_id,
        host_id=session.host_id,
        name=f"{session.title[:200]} {now:%Y-%m-%d %H:%M} UTC",
        active_session_id=session.id,
        storage_type=storage_type,
        created_at=now,
        updated_at=now,
    )


def _why(egress: PlannedEgress) -> str:
    if egress.error and egress.error != EgressProblem.NO_START_SIGNAL:
        return egress.error
    if egress.status is EgressStatus.COMPLETE:
        return EgressProblem.FILE_MISSING
    return EgressProblem.NOTHING_RECORDED


def _between(egress: PlannedEgress) -> float | None:
    if egress.started_at is None or egress.ended_at is None:
        return None
    return (egress.ended_at - egress.started_at).total_seconds()
