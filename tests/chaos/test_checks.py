"""The checks themselves: they find a system that lost an acknowledged change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.chaos.attendance_checks import attendance_faults, peak, row_faults, spans_by_person
from tests.chaos.caller import Answer, Call, Outcome
from tests.chaos.checks import overlaps, room_faults, session_faults
from tests.chaos.journal_checks import find_faults as journal_faults
from tests.chaos.ledger import ConnectionEntry, Edits, RequestedChange, RoomEntry, SessionEntry

DONE, NOT, MAYBE = (RequestedChange(outcome, doubtful=False) for outcome in Outcome)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def answer(status: int) -> Answer:
    return Answer(Call("edit", 0, 0, status, ""))


def room(**fields: Any) -> dict[str, Any]:
    return {"id": "r", "description": None, **fields}


def session(status: str, **fields: Any) -> dict[str, Any]:
    made = {"id": "s", "status": status, "max_join_limit_override": None}
    return {**made, "started_at": None, "ended_at": None, **fields}


def entry(**changes: RequestedChange) -> SessionEntry:
    return SessionEntry("S", DONE, "s", **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("deed", "times", "wrong"),
    [
        (DONE, 1, 0),
        (DONE, 0, 1),
        (DONE, 2, 1),
        (NOT, 0, 0),
        (NOT, 1, 1),
        (MAYBE, 0, 0),
        (MAYBE, 1, 0),
        (MAYBE, 2, 1),
    ],
)
def test_one_thing_for_one_key(deed: RequestedChange, times: int, wrong: int) -> None:
    assert len(list(room_faults(RoomEntry("R", deed, None), [room()] * times))) == wrong


def test_a_lost_edit_is_found_and_a_doubtful_later_one_is_none() -> None:
    edits = Edits()
    for status in (200, 200, 503):
        edits.last += 1
        edits.note(answer(status))
    kept = RoomEntry("R", DONE, "r", edits)
    wrong = {number: bool(list(room_faults(kept, [room(description=str(number))]))) for number in (1, 2, 3)}
    assert wrong == {1: True, 2: False, 3: False}


@pytest.mark.parametrize(
    ("changes", "status", "wrong"),
    [
        ({}, "scheduled", False),
        ({}, "live", True),
        ({"start": DONE}, "live", False),
        ({"start": DONE}, "scheduled", True),
        ({"start": NOT}, "live", True),
        ({"start": MAYBE}, "live", False),
        ({"start": DONE, "end": DONE}, "live", True),
        ({"start": DONE, "end": DONE}, "ended", False),
        ({"start": DONE, "end": DONE, "delete": DONE}, "ended", True),
    ],
)
def test_a_session_is_as_was_acknowledged(
    changes: dict[str, RequestedChange], status: str, wrong: bool
) -> None:
    assert bool(list(session_faults(entry(**changes), [session(status)]))) is wrong


def test_two_live_sessions_of_one_room_are_found() -> None:
    first = session("ended", started_at=at(0).isoformat(), ended_at=at(10).isoformat())
    assert list(overlaps([first, session("live", started_at=at(10).isoformat())])) == []
    assert len(list(overlaps([first, session("live", started_at=at(9).isoformat())]))) == 1


def test_attendance_is_told_from_connections() -> None:
    told: Any = {"join_told": Outcome.ACKNOWLEDGED, "leave_told": Outcome.ACKNOWLEDGED}
    connections = [
        ConnectionEntry("1", "vera", at(0), left_at=at(5), **told),
        ConnectionEntry("2", "vera", at(3), left_at=at(8), **told),
        ConnectionEntry("3", "viktor", at(4), left_at=at(60), **told),
        ConnectionEntry("4", "late", at(31), left_at=at(60), **told),
        ConnectionEntry("5", "hanna", at(0), host=True, **told),
    ]
    spans = spans_by_person(connections, at(30).isoformat())
    assert peak(spans) == 2
    rows = [
        {"user_id": "vera", "join_count": 2, "watch_duration": 8},
        {"user_id": "viktor", "join_count": 1, "watch_duration": 26},
    ]
    assert list(row_faults(rows, spans)) == []
    assert len(list(row_faults([rows[0] | {"join_count": 3}, rows[1]], spans))) == 1
    assert len(list(row_faults([rows[0], rows[1] | {"watch_duration": 27}], spans))) == 1
    assert len(list(row_faults(rows[:1], spans))) == 1


def line(name: str, version: int, **fields: Any) -> dict[str, Any]:
    state = {"version": version, "started_at": at(0).isoformat(), "ended_at": at(9).isoformat(), **fields}
    return {"name": f"session.{name}.v1", "data": {"session": state}}


def test_a_journal_tells_each_event_once_and_in_order() -> None:
    lived = entry(start=DONE, end=DONE)
    lines = [line("created", 1), line("started", 2), line("ended", 3, end_reason="host")]
    assert list(journal_faults(lines, lived)) == []
    assert list(journal_faults(lines[:2], lived)) != []
    assert list(journal_faults([*lines, lines[-1]], lived)) != []
    assert list(journal_faults([lines[1], lines[0], lines[2]], lived)) != []
    assert list(journal_faults(lines, entry(start=DONE))) != []


async def test_the_attendance_of_a_deleted_session_is_gone() -> None:
    class There:
        async def get(self, path: str, token: str | None = None) -> Any:
            return {"attendance": []}

    assert await attendance_faults(There(), "", entry(), None) != []  # type: ignore[arg-type]
