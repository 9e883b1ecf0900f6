"""What the demo calls agreement."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from deploy.demo.api import AttendanceData, AttendanceListData, AttendanceStatsData, SessionData
from deploy.demo.comparison import DurationRange, ObservedViewer, ReportedFigures, Row, agree, compare

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
LIVE = DurationRange(20.0, 20.2)
PEOPLE = [
    # Two devices, one after the other, with an overlap of four seconds.
    ObservedViewer("ada", "Ada", surely=[(1, 10), (6, 20)], possibly=[(0.8, 10.1), (5.8, 20.3)], joins=2),
    # Away for eight seconds.
    ObservedViewer("ben", "Ben", surely=[(1, 8), (16, 20)], possibly=[(0.9, 8.2), (15.8, 20.3)], joins=2),
]


def attendance(user: str, **changes: object) -> AttendanceData:
    answer: dict[str, object] = {
        "user_id": user,
        "username": user.title(),
        "joined_at": NOON,
        "left_at": NOON,
        "watch_duration": 19 if user == "ada" else 11,
        "join_count": 2,
    }
    return AttendanceData.model_validate(answer | changes)


def reported(
    *people: AttendanceData, stats: dict[str, int] | None = None, **session: object
) -> ReportedFigures:
    listed = list(people or (attendance("ada"), attendance("ben")))
    numbers = {
        "total_attendees": 2,
        "currently_watching": 0,
        "peak_viewers": 2,
        "average_watch_duration": 15,
    }
    answer: dict[str, object] = {
        "id": "s",
        "status": "ended",
        "viewer_count": 0,
        "max_viewers": 2,
        "duration": 20,
    }
    return ReportedFigures(
        attendance=AttendanceListData(attendance=listed, total=len(listed), currently_watching=0),
        stats=AttendanceStatsData.model_validate(numbers | (stats or {})),
        session=SessionData.model_validate(answer | session),
        highest_count=2,
    )


def wrong(rows: list[Row]) -> set[tuple[str, str]]:
    return {(row.who, row.what) for row in rows if not row.agrees}


def test_what_agrees_agrees() -> None:
    rows = compare(PEOPLE, LIVE, reported())
    assert wrong(rows) == set()
    assert agree(rows)
    assert Row("Ada", "joins", "2", "2", agrees=True) in rows


@pytest.mark.parametrize(
    ("answer", "row"),
    [
        ({"watch_duration": 24}, ("Ada", "watched")),  # both devices added up
        ({"watch_duration": 14}, ("Ada", "watched")),  # the second device alone
        ({"join_count": 1}, ("Ada", "joins")),
        ({"left_at": None}, ("Ada", "has left")),
    ],
)
def test_what_differs_of_a_person_is_named(answer: dict[str, object], row: tuple[str, str]) -> None:
    rows = compare(PEOPLE, LIVE, reported(attendance("ada", **answer), attendance("ben")))
    assert row in wrong(rows)
    assert not agree(rows)


def test_time_away_does_not_count_as_watched() -> None:
    rows = compare(PEOPLE, LIVE, reported(attendance("ada"), attendance("ben", watch_duration=19)))
    assert ("Ben", "watched") in wrong(rows)


def test_who_is_missing_and_who_was_no_viewer_are_named() -> None:
    rows = compare(PEOPLE, LIVE, reported(attendance("ada"), attendance("host")))
    assert {("Ben", "attended"), ("Host", "attended")} <= wrong(rows)


@pytest.mark.parametrize(
    ("stats", "session", "row"),
    [
        ({"peak_viewers": 3}, {}, ("statistics", "peak viewers")),
        ({"total_attendees": 3}, {}, ("statistics", "people")),
        ({"currently_watching": 1}, {}, ("statistics", "still watching")),
        ({"average_watch_duration": 19}, {}, ("statistics", "average watched")),
        ({}, {"max_viewers": 3}, ("session", "peak viewers")),
        ({}, {"viewer_count": 1}, ("session", "viewers now")),
        ({}, {"status": "live"}, ("session", "status")),
        ({}, {"duration": None}, ("session", "duration")),
    ],
)
def test_what_differs_in_total_is_named(
    stats: dict[str, int], session: dict[str, object], row: tuple[str, str]
) -> None:
    assert wrong(compare(PEOPLE, LIVE, reported(stats=stats, **session))) == {row}
