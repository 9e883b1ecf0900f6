"""The roster of a room: who departed, when they were last seen, and when a lost room was last alive."""

from collections.abc import Sequence

from services.egress.reconciler.rosters import REPEATED_FOR, Roster
from shared.contracts.event import Event
from shared.contracts.reconciler_events import Departure, LiveKitRoomLost, RosterConnection, RosterObserved
from tests.unit.egress.reconciler.builders import ROOM, at, connection


def seen(*sids: str) -> list[RosterConnection]:
    return [RosterConnection(**connection(sid).model_dump()) for sid in sids]


def observe(roster: Roster, moment: float, *sids: str, run: bool = True) -> RosterObserved:
    (event,) = roster.observe(at(moment), ROOM, seen(*sids), {}, running=run)
    assert isinstance(event, RosterObserved)
    return event


def roster() -> Roster:
    return Roster(id="session", observed_at=at(0))


def test_a_roster_tells_who_is_there() -> None:
    made = roster()
    event = observe(made, 10, "PA_1")
    assert (event.key, event.room_sid, event.observed_at) == ("session", ROOM, at(10))
    assert list(event.connections) == seen("PA_1")
    assert event.departed == ()


def test_departures_are_repeated_for_a_while_with_the_time_of_the_last_roster() -> None:
    made = roster()
    observe(made, 10, "PA_1", "PA_2")
    observe(made, 20, "PA_1", "PA_2")
    gone = Departure(participant_sid="PA_2", last_seen_at=at(20))
    assert observe(made, 30, "PA_1").departed == (gone,)
    assert observe(made, 40, "PA_1").departed == (gone,)
    assert observe(made, 20 + REPEATED_FOR.total_seconds(), "PA_1").departed == (gone,)
    assert observe(made, 21 + REPEATED_FOR.total_seconds(), "PA_1").departed == ()


def test_who_is_back_has_not_departed() -> None:
    made = roster()
    observe(made, 10, "PA_1")
    observe(made, 20)
    assert observe(made, 30, "PA_1").departed == ()


def test_an_older_look_changes_nothing() -> None:
    made = roster()
    observe(made, 20, "PA_1")
    late: Sequence[Event] = made.observe(at(10), ROOM, [], {}, running=True)
    assert late == []
    assert made.connections == seen("PA_1")


def test_last_seen_are_those_there_and_those_who_departed() -> None:
    made = roster()
    assert made.last_seen() == {}
    observe(made, 10, "PA_1", "PA_2")
    observe(made, 20, "PA_1")
    assert made.last_seen() == {"PA_1": at(20), "PA_2": at(10)}


def test_a_lost_room_was_last_alive_when_a_server_ran_it() -> None:
    made = roster()
    observe(made, 10, "PA_1")
    observe(made, 20, run=False)
    assert made.lose(at(30), at(5)) == [
        LiveKitRoomLost(session_id="session", observed_at=at(30), last_seen_at=at(10))
    ]
    (later,) = made.lose(at(30), at(15))
    assert isinstance(later, LiveKitRoomLost)
    assert later.last_seen_at == at(15)
    (unseen,) = roster().lose(at(30), at(15))
    assert isinstance(unseen, LiveKitRoomLost)
    assert unseen.last_seen_at == at(15)


def test_who_was_believed_there_departs_too() -> None:
    made = roster()
    observe(made, 10, "PA_1")
    (event,) = made.observe(at(20), ROOM, [], {"PA_1": at(12), "PA_2": at(15)}, running=False)
    assert isinstance(event, RosterObserved)
    assert {one.participant_sid: one.last_seen_at for one in event.departed} == {
        "PA_1": at(12),
        "PA_2": at(15),
    }
