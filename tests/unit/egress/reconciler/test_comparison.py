"""ExpectedConnection against observed: every way in which they differ, and that nothing else does."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.egress.drift.domain import Drift, Kind
from services.egress.reconciler.comparison import MOMENT, compare, leftover
from services.egress.reconciler.domain import ExpectedConnection, RoomSnapshot
from services.egress.sessions.projection import KnownSession
from shared.contracts.reconciler_events import SKEW
from shared.contracts.states import Role
from tests.unit.egress.reconciler.builders import (
    HOST,
    ROOM,
    SILENT_SINCE,
    at,
    connection,
    ended,
    expected,
    permissions,
    present,
    presumed,
    snapshot,
    state,
)

SESSION = state()
ANNA, BERTA = connection("PA_anna"), connection("PA_berta", joined=50)


def differences(
    known: dict[str, ExpectedConnection], seen: RoomSnapshot, last_seen: dict[str, datetime] | None = None
) -> list[tuple[Kind, str | None]]:
    found = compare(SESSION, known, seen, last_seen or {})
    return [(one.kind, one.connection.participant_sid if one.connection else None) for one in found]


TABLE: list[tuple[str, dict[str, ExpectedConnection], RoomSnapshot, list[tuple[Kind, str | None]]]] = [
    ("as believed", expected(ANNA), snapshot(present(ANNA)), []),
    ("an empty room", {}, snapshot(), []),
    ("nobody told that she came", {}, snapshot(present(ANNA)), [(Kind.MISSED_JOIN, "PA_anna")]),
    ("she is still connecting", {}, snapshot(present(ANNA, active=False)), []),
    ("nobody told that she went", expected(ANNA), snapshot(), [(Kind.MISSED_LEAVE, "PA_anna")]),
    ("she is known to be gone", expected(ANNA, left=60), snapshot(), []),
    ("the list is late to forget her", expected(ANNA, left=99), snapshot(present(ANNA)), []),
    (
        "she was presumed gone and is not",
        presumed(ANNA, 60),
        snapshot(present(ANNA)),
        [(Kind.MISSED_JOIN, "PA_anna")],
    ),
    ("she was presumed gone and is", presumed(ANNA, 60), snapshot(), []),
    ("she came after the look", expected(ANNA), snapshot(observed=-5), []),
    ("she came at the time of the look", expected(ANNA), snapshot(observed=1), []),
    ("she is in another room of the name", expected(ANNA, room_sid="RM_0"), snapshot(), []),
    ("nobody told which room she is in", expected(ANNA, room_sid=None), snapshot(), []),
    (
        "a ghost beside the living",
        expected(ANNA, BERTA),
        snapshot(present(ANNA), present(BERTA, dead=True)),
        [(Kind.MISSED_LEAVE, "PA_berta"), (Kind.STALE_PARTICIPANT, "PA_berta")],
    ),
    (
        "a ghost that is known to be gone",
        {},
        snapshot(present(ANNA, dead=True)),
        [(Kind.STALE_PARTICIPANT, "PA_anna")],
    ),
    ("it may be no ghost", expected(ANNA), snapshot(present(ANNA, dead=True), unsure=True), []),
    (
        "a room of ghosts",
        expected(ANNA),
        snapshot(present(ANNA, dead=True), run=False),
        [(Kind.ROOM_LOST, None), (Kind.MISSED_LEAVE, "PA_anna")],
    ),
    (
        "the room may only be slow",
        expected(ANNA),
        snapshot(present(ANNA, dead=True), run=False, unsure=True),
        [],
    ),
    ("nobody was in the room of the dead server", {}, snapshot(run=False), []),
    ("no such room", expected(ANNA), snapshot(room_sid=None, run=False), [(Kind.ROOM_LOST, None)]),
    ("the list of rooms was lost, not the room", expected(ANNA), snapshot(room_sid=None), []),
]


@pytest.mark.parametrize(
    ("known", "seen", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_what_differs(
    known: dict[str, ExpectedConnection], seen: RoomSnapshot, expected: list[tuple[Kind, str | None]]
) -> None:
    assert differences(known, seen) == expected


def test_a_missed_leave_was_at_the_last_proof_of_life() -> None:
    def gone_at(last_seen: dict[str, datetime]) -> datetime | None:
        (drift,) = compare(SESSION, expected(BERTA), snapshot(), last_seen)
        return drift.last_seen_at

    assert gone_at({}) == at(50)
    assert gone_at({"PA_berta": at(90)}) == at(90)
    assert gone_at({"PA_berta": at(40)}) == at(50)


def test_a_lost_room_was_alive_when_the_last_of_its_ghosts_came() -> None:
    ghosts = snapshot(present(ANNA, dead=True), present(BERTA, dead=True), run=False)
    lost = compare(SESSION, {}, ghosts, {})[0]
    assert (lost.last_seen_at, lost.since) == (at(50) + MOMENT, SILENT_SINCE)
    assert compare(SESSION, {}, ghosts, {"PA_anna": at(80)})[0].last_seen_at == at(80)
    assert compare(SESSION, {}, snapshot(room_sid=None, run=False), {})[0].last_seen_at is None


def test_permissions_are_compared_for_the_living() -> None:
    stage = replace(present(ANNA), permissions=permissions(SESSION, Role.STAGE))
    assert differences(expected(ANNA), snapshot(stage)) == [(Kind.PERMISSION, "PA_anna")]
    ghost = replace(stage, stale_since=SILENT_SINCE)
    assert Kind.PERMISSION not in [kind for kind, _ in differences({}, snapshot(ghost))]
    host = connection("PA_host", HOST, role=Role.HOST)
    right = replace(present(host), permissions=permissions(SESSION, Role.HOST))
    assert differences(expected(host), snapshot(right)) == []


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (None, "session unknown"),
        (KnownSession(ended(SESSION)), "session ended"),
        (KnownSession(SESSION, deleted=True), "session deleted"),
    ],
)
def test_a_room_without_a_live_session(known: KnownSession | None, told: str) -> None:
    assert leftover("room", known) == Drift(Kind.ROOM_LEFTOVER, "room", told, "room open")


SIDS = st.sampled_from([f"PA_{number}" for number in range(5)])


@st.composite
def beliefs(draw: st.DrawFn) -> dict[str, ExpectedConnection]:
    made: dict[str, ExpectedConnection] = {}
    for sid in draw(st.sets(SIDS)):
        one = connection(sid, joined=draw(st.integers(0, 120)))
        ends = st.none() | st.integers(0, 120).map(at)
        made[sid] = ExpectedConnection(
            one.joined_at, draw(st.sampled_from([ROOM, "RM_0"])), draw(ends), draw(ends), one
        )
    return made


@st.composite
def looks(draw: st.DrawFn) -> RoomSnapshot:
    run = draw(st.booleans())
    there = [
        present(
            connection(sid, joined=draw(st.integers(0, 100))),
            active=draw(st.booleans()),
            dead=not run or draw(st.booleans()),
        )
        for sid in sorted(draw(st.sets(SIDS)))
    ]
    return snapshot(*there, run=run, unsure=draw(st.booleans()))


def repaired(known: dict[str, ExpectedConnection], drifts: list[Drift]) -> dict[str, ExpectedConnection]:
    """What is expected after the drifts, as the repository would keep it."""
    after = dict(known)
    for drift in drifts:
        if drift.connection is None:
            continue
        sid = drift.connection.participant_sid
        if drift.kind is Kind.MISSED_JOIN:
            before = after.get(sid, ExpectedConnection(drift.connection.joined_at, ROOM))
            after[sid] = replace(before, presumed_left_at=None)
        elif drift.kind is Kind.MISSED_LEAVE:
            after[sid] = replace(after[sid], presumed_left_at=drift.last_seen_at)
    return after


BELIEFS = {Kind.MISSED_JOIN, Kind.MISSED_LEAVE}


@given(beliefs(), looks(), st.dictionaries(SIDS, st.integers(0, 120).map(at)))
def test_corrections_correct(
    known: dict[str, ExpectedConnection], seen: RoomSnapshot, last_seen: dict[str, datetime]
) -> None:
    found = compare(SESSION, known, seen, last_seen)
    again = compare(SESSION, repaired(known, found), seen, last_seen)
    assert [one for one in again if one.kind in BELIEFS] == []
    assert [one for one in found if one.kind not in BELIEFS] == [
        one for one in again if one.kind not in BELIEFS
    ]


@given(beliefs(), looks())
def test_nobody_is_closed_who_may_be_there(known: dict[str, ExpectedConnection], seen: RoomSnapshot) -> None:
    there = {one.connection.participant_sid for one in seen.connected}
    for drift in compare(SESSION, known, seen, {}):
        if drift.kind is Kind.MISSED_LEAVE:
            one: Any = drift.connection
            assert not seen.uncertain
            assert one.participant_sid not in there
            before = known[one.participant_sid]
            assert before.room_sid == ROOM
            assert before.joined_at < seen.observed_at - SKEW
            assert drift.last_seen_at is not None
            assert drift.last_seen_at >= before.joined_at


@given(looks())
def test_each_difference_has_its_own_key(seen: RoomSnapshot) -> None:
    found = compare(SESSION, {}, seen, {})
    assert len({one.key for one in found}) == len(found)
