"""From a person's intervals to their attendance: pure functions.

An interval ends when its connection left, or else by the session's end. Times are half open: who leaves at
an instant is not there at it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.attendance.presence.domain import Presence, attendance_id
from services.attendance.sessions.domain import SessionView

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Interval:
    """From `start` to before `end`; None while it goes on."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True)
class Attendee:
    """A person who attends a session: all that is stored, since it hardly ever changes.

    `joined_at` is when they first joined. `version` is the stored document's, 0 before it is stored.
    """

    session_id: str
    user_id: str
    username: str
    joined_at: datetime
    version: int = 0

    @property
    def id(self) -> str:
        return attendance_id(self.session_id, self.user_id)


@dataclass(frozen=True)
class AttendanceSummary:
    """One person's attendance of one session, computed from their intervals.

    `watched_ms` is the length of the closed part of the union of their intervals, `open_since` the start of
    the open part, None once they left.
    """

    username: str
    joined_at: datetime
    left_at: datetime | None
    watched_ms: int
    open_since: datetime | None
    join_count: int

    @property
    def present(self) -> bool:
        return self.open_since is not None

    def watched_ms_until(self, now: datetime) -> int:
        """Milliseconds watched, for people present until `now`."""
        going_on = milliseconds_of(now) - milliseconds_of(self.open_since) if self.open_since else 0
        return self.watched_ms + max(0, going_on)


def attend(
    user_id: str, presences: Iterable[Presence], session: SessionView | None
) -> AttendanceSummary | None:
    """The person's attendance; None if they never were a viewer."""
    viewings = _viewings(user_id, presences, session)
    if not viewings:
        return None
    parts = union(clip(viewing, session) for viewing in viewings)
    last = parts[-1]
    return AttendanceSummary(
        username=max((viewing.joined_at, viewing.username) for viewing in viewings)[1],
        joined_at=parts[0].start,
        left_at=last.end,
        watched_ms=sum(milliseconds_of(part.end) - milliseconds_of(part.start) for part in parts if part.end),
        open_since=last.start if last.end is None else None,
        join_count=len(viewings),
    )


def intervals_of(user_id: str, presences: Iterable[Presence], session: SessionView | None) -> list[Interval]:
    """When the person was there: disjoint intervals in order."""
    return union(clip(viewing, session) for viewing in _viewings(user_id, presences, session))


def _viewings(user_id: str, presences: Iterable[Presence], session: SessionView | None) -> list[Presence]:
    """The presences that make a viewer of them: none for staff, none that began after the session."""
    if session is not None and user_id in session.staff:
        return []
    end = session.ended_at if session else None
    return [one for one in presences if one.is_viewing and (end is None or one.joined_at < end)]


def clip(presence: Presence, session: SessionView | None) -> Interval:
    """The presence's interval, ended by the session's end and never before its own start."""
    ends = [end for end in (presence.end, session.ended_at if session else None) if end is not None]
    return Interval(presence.joined_at, max(min(ends), presence.joined_at) if ends else None)


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same times as disjoint intervals, the earliest first."""
    parts: list[Interval] = []
    for interval in sorted(intervals, key=lambda one: one.start):
        last = parts[-1] if parts else None
        if last is None or (last.end is not None and last.end < interval.start):
            parts.append(interval)
        elif last.end is not None and (interval.end is None or interval.end > last.end):
            parts[-1] = Interval(last.start, interval.end)
    return parts


def peak(people: Iterable[Sequence[Interval]]) -> int:
    """The most people who were there at once; each gives disjoint intervals."""
    steps: list[tuple[datetime, int]] = []
    for intervals in people:
        for interval in intervals:
            if interval.end == interval.start:
                continue
            steps.append((interval.start, 1))
            if interval.end is not None:
                steps.append((interval.end, -1))
    most = now = 0
    for _, step in sorted(steps):
        now += step
        most = max(most, now)
    return most


def milliseconds_of(moment: datetime) -> int:
    """Whole milliseconds since 1970."""
    return (moment - _EPOCH) // _MILLISECOND
