"""When to write to a room's subscribers about a session. Pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from shared.contracts.event import Event
from shared.contracts.states import SessionState, SessionStatus

_DAY, _SOON = timedelta(hours=24), timedelta(minutes=15)
# After this time a reminder is useless.
_DAY_LATE, _LIVE_LATE, _CANCELLED_LATE = timedelta(hours=12), timedelta(hours=1), timedelta(hours=1)


class ReminderType(StrEnum):
    SCHEDULED = "scheduled"
    DAY_BEFORE = "day_before"
    SOON = "soon"
    LIVE = "live"
    RESCHEDULED = "rescheduled"
    CANCELLED = "cancelled"


# The others are of one time, and come again with another.
_ONCE = frozenset({ReminderType.LIVE, ReminderType.CANCELLED})


@dataclass(frozen=True, kw_only=True)
class DueReminder:
    """A reminder that is due from `at` on, and dropped from `until` on.

    `revision` is which time of the session it is about.
    """

    occasion: ReminderType
    revision: int
    at: datetime
    until: datetime

    @property
    def key(self) -> str:
        return self.occasion.value if self.occasion in _ONCE else f"{self.occasion}:{self.revision}"


@dataclass(kw_only=True)
class ReminderSchedule:
    """A session as its subscribers know it.

    `revision` counts the times that it was given (the SEQUENCE of its calendar entry), `announced` is whether
    subscribers ever got a mail; `due_at` is the first time of what is `due`.
    """

    id: str
    version: int = 1
    session_version: int = 0
    room_id: str
    title: str
    status: SessionStatus = SessionStatus.SCHEDULED
    start_time: datetime | None = None
    revision: int = 0
    announced: bool = False
    cancelled: bool = False
    due: list[DueReminder] = field(default_factory=list)
    due_at: datetime | None = None
    created_at: datetime

    @classmethod
    def of(cls, state: SessionState, now: datetime) -> "ReminderSchedule":
        return cls(id=state.id, room_id=state.room_id, title=state.title, created_at=now)

    @property
    def is_blank(self) -> bool:
        """Whether the session has neither a time nor begun."""
        return self.status is SessionStatus.SCHEDULED and self.start_time is None

    def follow(self, state: SessionState, now: datetime, *, deleted: bool = False) -> Sequence[Event]:
        """Apply a newer state of the session; an older one is ignored."""
        if self.cancelled or state.version <= self.session_version:
            return []
        was_scheduled, before = self.status is SessionStatus.SCHEDULED, self.start_time
        self.session_version, self.title, self.status = state.version, state.title, state.status
        self.start_time = state.scheduled_start_time
        if deleted:
            self._delete(now)
        elif self.status is SessionStatus.SCHEDULED:
            if self.start_time is not None and self.start_time != before:
                self._set_time(self.start_time, now, moved=before is not None)
        elif self.status is SessionStatus.LIVE and was_scheduled:
            since = state.started_at or now
            self.due = [self._due(ReminderType.LIVE, now, since + _LIVE_LATE)]
        elif self.status is not SessionStatus.LIVE:
            self.due = []
        return self._update_due_at()

    def _set_time(self, start: datetime, now: datetime, *, moved: bool) -> None:
        """What is long past when it is planned is left out: no word of tomorrow ten minutes before."""
        self.revision += moved
        # Subscribers who never got the earlier time get an announcement, not a change of time.
        announced = moved and not any(due.occasion is ReminderType.SCHEDULED for due in self.due)
        planned = [
            self._due(ReminderType.RESCHEDULED if announced else ReminderType.SCHEDULED, now, start),
            self._due(ReminderType.DAY_BEFORE, start - _DAY, min(start, start - _DAY + _DAY_LATE)),
            self._due(ReminderType.SOON, start - _SOON, start),
        ]
        self.due = [due for due in planned if due.at >= now and due.until > now]

    def _delete(self, now: datetime) -> None:
        """A session that was announced and did not take place is called off."""
        self.cancelled, self.due = True, []
        start = self.start_time
        if self.status is SessionStatus.SCHEDULED and self.announced and start is not None:
            self.due = [self._due(ReminderType.CANCELLED, now, max(start, now + _CANCELLED_LATE))]

    def _due(self, occasion: ReminderType, at: datetime, until: datetime) -> DueReminder:
        return DueReminder(occasion=occasion, revision=self.revision, at=at, until=until)

    def due_now(self, now: datetime) -> list[DueReminder]:
        """The reminders that are due now, or too late."""
        return [due for due in self.due if due.at <= now]

    def mark_planned(self, planned: DueReminder) -> Sequence[Event]:
        """All its recipients are stored."""
        if planned in self.due:
            self.due = [due for due in self.due if due != planned]
            self.announced = True
        return self._update_due_at()

    def drop(self, planned: DueReminder) -> Sequence[Event]:
        """It is too late to send it."""
        self.due = [due for due in self.due if due != planned]
        return self._update_due_at()

    def _update_due_at(self) -> Sequence[Event]:
        self.due_at = min((due.at for due in self.due), default=None)
        return []

    def still_wants(self, occasion: ReminderType, revision: int) -> bool:
        """Whether a mail that was planned is still true."""
        if occasion is ReminderType.CANCELLED:
            return self.cancelled
        if occasion is ReminderType.LIVE:
            return self.status is SessionStatus.LIVE
        waiting = self.status is SessionStatus.SCHEDULED and not self.cancelled
        return waiting and revision == self.revision
