"""Unions, peaks, ids and rules."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.attendance.attendances.domain import Interval, attend, peak, union
from services.attendance.presence.domain import ConnectionUpdate, Presence, attendance_id, is_viewer
from services.attendance.sessions.domain import SessionView, affected
from shared.contracts.states import Role
from shared.ids import new_id
from tests.unit.attendance.builders import at, connection, ended, joined, left, session

spans = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 15)), max_size=8)


def intervals(given: list[tuple[int, int]]) -> list[Interval]:
    return [Interval(at(start), at(start + length)) for start, length in given]


def presence(
    start: float, end: float | None, role: Role = Role.AUDIENCE, *, counted: bool = True
) -> Presence:
    return Presence("u", "Name", role, counted, True, at(start), None if end is None else at(end))


@given(spans)
def test_a_union_covers_exactly_the_seconds_of_its_intervals(given: list[tuple[int, int]]) -> None:
    seconds = {second for start, length in given for second in range(start, start + length)}
    parts = union(intervals(given))
    ends = [part.end for part in parts if part.end]
    assert sum((end - part.start).total_seconds() for part, end in zip(parts, ends, strict=True)) == len(
        seconds
    )
    assert all(end < later.start for end, later in zip(ends, parts[1:], strict=False))


@given(st.lists(spans, max_size=6))
def test_the_peak_is_the_fullest_second(people: list[list[tuple[int, int]]]) -> None:
    unions = [union(intervals(one)) for one in people]
    fullest = max(
        sum(any(start <= second < start + length for start, length in one) for one in people)
        for second in range(60)
    )
    assert peak(unions) == fullest


def test_an_open_interval_swallows_what_follows() -> None:
    parts = union([Interval(at(5), at(6)), Interval(at(1), at(2)), Interval(at(4), None)])
    assert parts == [Interval(at(1), at(2)), Interval(at(4), None)]


def test_watching_goes_on_while_a_device_is_there() -> None:
    attendance = attend("u", [presence(0, 10), presence(20, None), presence(25, 30)], None)
    assert attendance is not None
    assert attendance.present
    assert (attendance.left_at, attendance.join_count) == (None, 3)
    assert attendance.watched_ms_until(at(50.9)) == 40_900
    assert attendance.watched_ms_until(at(19)) == 10_000


def test_the_end_of_the_session_ends_intervals_and_forgets_later_ones() -> None:
    view = SessionView.of(ended(session(), at(60)))
    attendance = attend("u", [presence(0, None), presence(90, 95)], view)
    assert attendance is not None
    assert (attendance.left_at, attendance.join_count, attendance.watched_ms) == (at(60), 1, 60_000)
    assert attend("u", [presence(60, None)], view) is None


def test_an_estimated_end_stands_in_for_a_lost_one() -> None:
    lost = Presence("u", "N", Role.AUDIENCE, True, True, at(0), None, estimated_left_at=at(9))
    attendance = attend("u", [lost], None)
    assert attendance is not None
    assert attendance.left_at == at(9)


def test_staff_attend_nothing() -> None:
    state = session(roles={"u": Role.CO_HOST})
    assert attend("u", [presence(0, 5)], SessionView.of(state)) is None
    assert attend(state.host_id, [presence(0, 5)], SessionView.of(state)) is None
    assert attend("u", [presence(0, 5, counted=False)], None) is None


def test_the_latest_connection_names_the_person() -> None:
    older = Presence("u", "Old", Role.STAGE, True, True, at(0), None)
    newer = Presence("u", "New", Role.AUDIENCE, True, True, at(5), None)
    attendance = attend("u", [newer, older], None)
    assert attendance is not None
    assert attendance.username == "New"


@pytest.mark.parametrize(
    "fields",
    [
        {"role": Role.HOST},
        {"role": Role.CO_HOST},
        {"hidden": True},
        {"recorder": True},
        {"kind": "egress"},
        {"kind": "ingress"},
        {"kind": "sip"},
        {"kind": "agent"},
    ],
)
def test_who_is_no_viewer(fields: dict[str, object]) -> None:
    assert not is_viewer(connection("u", "PA_1", at(0), **fields))


@pytest.mark.parametrize("role", [Role.AUDIENCE, Role.STAGE, Role.MODERATOR])
def test_who_is_a_viewer(role: Role) -> None:
    assert is_viewer(connection("u", "PA_1", at(0), role=role))


def test_updates_of_a_connection_merge_either_way() -> None:
    state = session()
    came = ConnectionUpdate.of(joined(state.id, connection("u", "PA_1", at(1), username="At the door")))
    went = ConnectionUpdate.of(
        left(state.id, connection("u", "PA_1", at(1), username="On the way out"), at(9))
    )
    assert came.merged(went) == went.merged(came)
    assert came.merged(went).username == "At the door"
    assert came.merged(went).left_at == at(9)


def test_an_attendance_id_is_a_stable_uuid7() -> None:
    session_id, user_id = new_id(), new_id()
    made = uuid.UUID(attendance_id(session_id, user_id))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert attendance_id(session_id, user_id) == str(made) != attendance_id(session_id, new_id())


def test_whom_a_newer_state_touches() -> None:
    state = session()
    view = SessionView.of(state)

    def later(**change: object) -> SessionView:
        return SessionView.of(state.model_copy(update={"version": 2, **change}))

    assert affected(None, view) is None
    assert affected(view, view) is None
    assert affected(later(), view) == frozenset()
    assert affected(view, later(title="Another")) == frozenset()
    assert affected(view, later(roles={"u": Role.CO_HOST, "v": Role.STAGE})) == {"u"}
    assert affected(view, SessionView.of(ended(state, at(5)))) is None
    assert affected(later(), SessionView.of(state, deleted=True)) is None
