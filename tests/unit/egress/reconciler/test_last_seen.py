"""When connections were last known to live."""

from services.egress.reconciler.comparison import MOMENT, last_seen_times
from services.egress.reconciler.rosters import Roster
from shared.contracts.reconciler_events import RosterConnection
from tests.unit.egress.reconciler.builders import ROOM, at, connection, expected, presumed

ANNA, BERTA = connection("PA_anna", joined=5), connection("PA_berta", joined=25)


def roster(moment: float) -> Roster:
    made = Roster(id="room", observed_at=at(0))
    made.observe(at(moment), ROOM, [RosterConnection(**ANNA.model_dump())], {}, running=True)
    return made


def test_by_joining_or_by_the_last_roster() -> None:
    both = expected(ANNA, BERTA)
    assert last_seen_times(None, both, None) == {"PA_anna": at(5) + MOMENT, "PA_berta": at(25) + MOMENT}
    assert last_seen_times(roster(20), both, None) == {"PA_anna": at(20), "PA_berta": at(25) + MOMENT}


def test_until_livekit_as_a_whole_was_gone() -> None:
    assert last_seen_times(roster(20), expected(ANNA), at(23)) == {"PA_anna": at(23)}
    assert last_seen_times(roster(20), expected(ANNA, BERTA), at(23))["PA_berta"] == at(25) + MOMENT
    assert last_seen_times(roster(30), expected(ANNA), at(23)) == {"PA_anna": at(30)}


def test_of_who_had_left_before_no_outage_tells() -> None:
    assert last_seen_times(None, presumed(ANNA, 10), at(23)) == {}
    assert last_seen_times(None, expected(ANNA, left=10), at(23)) == {}
