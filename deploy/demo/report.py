"""What really happened beside what the API reports: pure, and the demo's verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.demo.models import Attendance, AttendanceList, AttendanceStats, Session
from deploy.demo.stays import Interval, length, peak

# The API gives whole seconds, cut off; clocks and messages take a moment.
TOLERANCE_SECONDS = 1.5


@dataclass(frozen=True)
class Span:
    """Seconds that something lasted, at least and at most."""

    least: float
    most: float


@dataclass(frozen=True)
class Witnessed:
    """What the demo saw of one person: when they surely and possibly were there, and how often they came."""

    user_id: str
    name: str
    surely: Sequence[Interval]
    possibly: Sequence[Interval]
    joins: int

    @property
    def watched(self) -> Span:
        """Each moment counted once, on however many devices."""
        return Span(length(self.surely), length(self.possibly))


@dataclass(frozen=True)
class Reported:
    """What the API says once the session is over; `most_shown` is the highest live count it ever showed."""

    attendance: AttendanceList
    stats: AttendanceStats
    session: Session
    most_shown: int


@dataclass(frozen=True)
class Row:
    """One comparison: what of whom, as seen and as reported."""

    who: str
    what: str
    really: str
    reported: str
    agrees: bool


def compare(people: Sequence[Witnessed], live: Span, reported: Reported) -> list[Row]:
    """One row for each thing that can be compared; `live` is how long the session was live."""
    listed = {one.user_id: one for one in reported.attendance.attendance}
    rows = [row for person in people for row in _person(person, listed.get(person.user_id))]
    rows += [_stranger(one) for one in listed.values() if one.user_id not in {p.user_id for p in people}]
    return rows + _totals(people, reported) + _session(people, live, reported.session)


def agree(rows: Sequence[Row]) -> bool:
    return all(row.agrees for row in rows)


def _person(person: Witnessed, told: Attendance | None) -> list[Row]:
    if told is None:
        return [Row(person.name, "attended", "yes", "not listed", agrees=False)]
    return [
        _exact(person.name, "joins", person.joins, told.join_count),
        _seconds(person.name, "watched", person.watched, told.watch_duration),
        Row(
            person.name, "has left", "yes", "no" if told.left_at is None else "yes", told.left_at is not None
        ),
    ]


def _stranger(told: Attendance) -> Row:
    return Row(told.username, "attended", "no viewer", "listed", agrees=False)


def _totals(people: Sequence[Witnessed], reported: Reported) -> list[Row]:
    attendance, stats = reported.attendance, reported.stats
    most = peak([person.surely for person in people])
    return [
        _exact("list", "people", len(people), attendance.total),
        _exact("list", "still watching", 0, attendance.currently_watching),
        _exact("statistics", "people", len(people), stats.total_attendees),
        _exact("statistics", "still watching", 0, stats.currently_watching),
        _exact("statistics", "peak viewers", most, stats.peak_viewers),
        _seconds("statistics", "average watched", _average(people), stats.average_watch_duration),
        _exact("live count", "highest shown", most, reported.most_shown),
    ]


def _session(people: Sequence[Witnessed], live: Span, session: Session) -> list[Row]:
    return [
        Row("session", "status", "ended", session.status, session.status == "ended"),
        _seconds("session", "duration", live, session.duration or 0),
        _exact("session", "viewers now", 0, session.viewer_count),
        _exact("session", "peak viewers", peak([person.surely for person in people]), session.max_viewers),
    ]


def _exact(who: str, what: str, really: int, reported: int) -> Row:
    return Row(who, what, str(really), str(reported), really == reported)


def _seconds(who: str, what: str, really: Span, reported: int) -> Row:
    agrees = really.least - TOLERANCE_SECONDS <= reported <= really.most + TOLERANCE_SECONDS
    return Row(who, what, f"{(really.least + really.most) / 2:.1f} s", f"{reported} s", agrees)


def _average(people: Sequence[Witnessed]) -> Span:
    count = max(1, len(people))
    return Span(
        sum(person.watched.least for person in people) / count,
        sum(person.watched.most for person in people) / count,
    )
