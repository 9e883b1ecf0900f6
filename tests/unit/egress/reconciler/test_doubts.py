"""Differences wait for their time, and begin anew when they were gone or repaired."""

from dataclasses import replace
from datetime import timedelta

from services.egress.reconciler.domain import PATIENCE, Kind, Repair
from services.egress.reconciler.doubts import Doubts
from tests.unit.egress.reconciler.make import at, connection

MISSED = Repair(Kind.MISSED_LEAVE, "room", "connected", "not listed", connection("PA_1"))
OTHER = Repair(Kind.MISSED_LEAVE, "room", "connected", "not listed", connection("PA_2"))
LOST = Repair(Kind.ROOM_LOST, "room", "session live", "no such room")
DOUBTS = {Kind.MISSED_LEAVE: timedelta(seconds=2), Kind.ROOM_LOST: timedelta(seconds=7)}


def test_a_difference_that_lasts_ripens() -> None:
    doubts = Doubts(DOUBTS)
    assert doubts.ripe("room", [MISSED, LOST], at(0)) == []
    assert doubts.any("room")
    assert doubts.ripe("room", [MISSED, LOST], at(2)) == [MISSED]
    assert doubts.ripe("room", [MISSED, LOST], at(7)) == [MISSED, LOST]


def test_one_that_passes_is_forgotten() -> None:
    doubts = Doubts(DOUBTS)
    doubts.ripe("room", [MISSED, OTHER], at(0))
    assert doubts.ripe("room", [OTHER], at(1)) == []
    assert doubts.ripe("room", [MISSED, OTHER], at(2)) == [OTHER]
    assert doubts.ripe("room", [], at(3)) == []
    assert not doubts.any("room")


def test_a_repaired_one_would_be_a_new_one() -> None:
    doubts = Doubts(DOUBTS)
    doubts.ripe("room", [MISSED], at(0))
    assert doubts.ripe("room", [MISSED], at(2)) == [MISSED]
    doubts.settle([MISSED], at(2))
    assert not doubts.any("room")
    assert doubts.ripe("room", [MISSED], at(3)) == []


def test_one_that_could_not_be_repaired_stays_ripe() -> None:
    doubts = Doubts(DOUBTS)
    doubts.ripe("room", [MISSED], at(0))
    for second in (2, 3, 4):
        assert doubts.ripe("room", [MISSED], at(second)) == [MISSED]
        assert doubts.any("room")


def test_rooms_have_doubts_of_their_own() -> None:
    doubts = Doubts(DOUBTS)
    doubts.ripe("room", [MISSED], at(0))
    assert doubts.ripe("other", [], at(1)) == []
    assert doubts.any("room")
    assert not doubts.any("other")
    doubts.settle([Repair(Kind.ROOM_LOST, "other", "", "")], at(1))


def test_every_kind_has_its_patience() -> None:
    assert set(PATIENCE) == set(Kind)


def test_what_began_earlier_ripens_earlier_but_not_twice() -> None:
    doubts = Doubts(DOUBTS)
    lost = replace(LOST, since=at(0))
    assert doubts.ripe("room", [lost], at(6)) == []
    assert doubts.ripe("room", [lost], at(7)) == [lost]
    doubts.settle([lost], at(7))
    assert doubts.ripe("room", [lost], at(8)) == []
    assert doubts.ripe("room", [lost], at(14)) == [lost]
    doubts.settle([lost], at(14))
    assert doubts.ripe("room", [], at(15)) == []
    assert doubts.ripe("room", [lost], at(16)) == [lost], "another one"
