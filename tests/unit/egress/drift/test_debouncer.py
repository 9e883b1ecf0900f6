"""Differences wait for their grace period, which starts again once they passed or were corrected."""

from dataclasses import replace
from datetime import timedelta

from services.egress.drift.debouncer import Debouncer
from services.egress.drift.domain import GRACE_PERIOD, Drift, Kind
from tests.unit.egress.reconciler.builders import at, connection

MISSED = Drift(Kind.MISSED_LEAVE, "room", "connected", "not listed", connection("PA_1"))
OTHER = Drift(Kind.MISSED_LEAVE, "room", "connected", "not listed", connection("PA_2"))
LOST = Drift(Kind.ROOM_LOST, "room", "session live", "no such room")
GRACE_PERIODS = {Kind.MISSED_LEAVE: timedelta(seconds=2), Kind.ROOM_LOST: timedelta(seconds=7)}


def test_a_difference_that_lasts_is_due() -> None:
    debouncer = Debouncer(GRACE_PERIODS)
    assert debouncer.due("room", [MISSED, LOST], at(0)) == []
    assert debouncer.pending("room")
    assert debouncer.due("room", [MISSED, LOST], at(2)) == [MISSED]
    assert debouncer.due("room", [MISSED, LOST], at(7)) == [MISSED, LOST]


def test_one_that_passes_is_forgotten() -> None:
    debouncer = Debouncer(GRACE_PERIODS)
    debouncer.due("room", [MISSED, OTHER], at(0))
    assert debouncer.due("room", [OTHER], at(1)) == []
    assert debouncer.due("room", [MISSED, OTHER], at(2)) == [OTHER]
    assert debouncer.due("room", [], at(3)) == []
    assert not debouncer.pending("room")


def test_a_corrected_one_would_be_a_new_one() -> None:
    debouncer = Debouncer(GRACE_PERIODS)
    debouncer.due("room", [MISSED], at(0))
    assert debouncer.due("room", [MISSED], at(2)) == [MISSED]
    debouncer.corrected([MISSED], at(2))
    assert not debouncer.pending("room")
    assert debouncer.due("room", [MISSED], at(3)) == []


def test_one_that_could_not_be_corrected_stays_due() -> None:
    debouncer = Debouncer(GRACE_PERIODS)
    debouncer.due("room", [MISSED], at(0))
    for second in (2, 3, 4):
        assert debouncer.due("room", [MISSED], at(second)) == [MISSED]
        assert debouncer.pending("room")


def test_rooms_are_debounced_separately() -> None:
    debouncer = Debouncer(GRACE_PERIODS)
    debouncer.due("room", [MISSED], at(0))
    assert debouncer.due("other", [], at(1)) == []
    assert debouncer.pending("room")
    assert not debouncer.pending("other")
    debouncer.corrected([Drift(Kind.ROOM_LOST, "other", "", "")], at(1))


def test_every_kind_has_a_grace_period() -> None:
    assert set(GRACE_PERIOD) == set(Kind)


def test_what_began_earlier_is_due_earlier_but_not_twice() -> None:
    debouncer = Debouncer(GRACE_PERIODS)
    lost = replace(LOST, since=at(0))
    assert debouncer.due("room", [lost], at(6)) == []
    assert debouncer.due("room", [lost], at(7)) == [lost]
    debouncer.corrected([lost], at(7))
    assert debouncer.due("room", [lost], at(8)) == []
    assert debouncer.due("room", [lost], at(14)) == [lost]
    debouncer.corrected([lost], at(14))
    assert debouncer.due("room", [], at(15)) == []
    assert debouncer.due("room", [lost], at(16)) == [lost], "another one"
