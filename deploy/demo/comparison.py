"""Compares what really happened with what the API reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deploy.demo.api import AttendanceData, AttendanceListData, AttendanceStatsData, SessionData

# The API gives whole seconds, cut off; clocks and messages take a moment.
TOLERANCE_SECONDS = 1.5

Interval = tuple[float, float]


@dataclass
class ConnectionTimes:
    """One connection's time in a room, as seen from outside.

    It was surely in between `joined_at` and `leaving_at`, surely out before `asked_at` and after `gone_at`.
    """

    asked_at: float
    joined_at: float
    leaving_at: float | None = None
    gone_at: float | None = None

    def surely(self, now: float) -> Interval:
        return self.joined_at, now if self.leaving_at is None else max(self.joined_at, self.leaving_at)

    def possibly(self, now: float) -> Interval:
        return self.asked_at, now if self.gone_at is None else self.gone_at


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time without overlaps, in order."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def length(intervals: Iterable[Interval]) -> float:
    """Seconds covered, each counted once."""
    return sum(end - start for start, end in union(intervals))


def peak(people: Iterable[Sequence[Interval]]) -> int:
    """The most people present at one moment; whoever is connected twice counts once.

    At the same moment, leaving counts before joining.
    """
    changes = [
        change
        for intervals in people
        for start, end in union(intervals)
        for change in ((start, 1), (end, -1))
    ]
    present = most = 0
    for _, change in sorted(changes):
        present += change
        most = max(most, present)
    return most


@dataclass(frozen=True)
class DurationRange:
    """Seconds that something lasted, at least and at most."""

    least: float
    most: float


@dataclass(frozen=True)
class ObservedViewer:
    """One person as observed: when they were surely and possibly connected, and how often they joined."""

    user_id: str
    name: str
    surely: Sequence[Interval]
    possibly: Sequence[Interval]
    joins: int

    @property
    def watched(self) -> DurationRange:
        """Each moment counted once, on however many devices."""
        return DurationRange(length(self.surely), length(self.possibly))


@dataclass(frozen=True)
class ReportedFigures:
    """What the API says after the session; `highest_count` is the highest live count it ever gave."""

    attendance: AttendanceListData
    stats: AttendanceStatsData
    session: SessionData
    highest_count: int


@dataclass(frozen=True)
class Row:
    """One comparison: what of whom, as observed and as reported."""

    who: str
    what: str
    really: str
    reported: str
    agrees: bool


def compare(people: Sequence[ObservedViewer], live: DurationRange, reported: ReportedFigures) -> list[Row]:
    """One row for each thing that can be compared; `live` is how long the session was live."""
    listed = {one.user_id: one for one in reported.attendance.attendance}
    rows = [row for person in people for row in _person(person, listed.get(person.user_id))]
    known = {person.user_id for person in people}
    others = [one for user_id, one in listed.items() if user_id not in known]
    rows += [exact(other.username, "attended", "no viewer", "listed") for other in others]
    return rows + _totals(people, reported) + _session(people, live, reported.session)


def agree(rows: Sequence[Row]) -> bool:
    return all(row.agrees for row in rows)


def _person(person: ObservedViewer, answer: AttendanceData | None) -> list[Row]:
    if answer is None:
        return [exact(person.name, "attended", "yes", "not listed")]
    return [
        exact(person.name, "joins", person.joins, answer.join_count),
        in_seconds(person.name, "watched", person.watched, answer.watch_duration),
        exact(person.name, "has left", "yes", "yes" if answer.left_at else "no"),
    ]


def _totals(people: Sequence[ObservedViewer], reported: ReportedFigures) -> list[Row]:
    attendance, stats = reported.attendance, reported.stats
    most = peak([person.surely for person in people])
    return [
        exact("list", "people", len(people), attendance.total),
        exact("list", "still watching", 0, attendance.currently_watching),
        exact("statistics", "people", len(people), stats.total_attendees),
        exact("statistics", "still watching", 0, stats.currently_watching),
        exact("statistics", "peak viewers", most, stats.peak_viewers),
        in_seconds("statistics", "average watched", _average(people), stats.average_watch_duration),
        exact("live count", "highest shown", most, reported.highest_count),
    ]


def _session(people: Sequence[ObservedViewer], live: DurationRange, session: SessionData) -> list[Row]:
    return [
        exact("session", "status", "ended", session.status),
        in_seconds("session", "duration", live, session.duration or 0),
        exact("session", "viewers now", 0, session.viewer_count),
        exact("session", "peak viewers", peak([person.surely for person in people]), session.max_viewers),
    ]


def exact(who: str, what: str, really: int | str, reported: int | str) -> Row:
    left, right = (f"{value:,}" if isinstance(value, int) else value for value in (really, reported))
    return Row(who, what, left, right, agrees=really == reported)


def in_seconds(
    who: str, what: str, really: DurationRange, reported: float, tolerance: float = TOLERANCE_SECONDS
) -> Row:
    agrees = really.least - tolerance <= reported <= really.most + tolerance
    text = f"{reported} s" if isinstance(reported, int) else f"{reported:.1f} s"
    return Row(who, what, f"{(really.least + really.most) / 2:.1f} s", text, agrees)


def _average(people: Sequence[ObservedViewer]) -> DurationRange:
    count = max(1, len(people))
    return DurationRange(
        sum(person.watched.least for person in people) / count,
        sum(person.watched.most for person in people) / count,
    )
