"""When connections were last known to live."""

from services.egress.reconciler.proofs import MOMENT, proofs_of_life
from services.egress.reconciler.rosters.domain import Roster
from shared.contracts.roster_events import RosterConnection
from tests.unit.egress.reconciler.make import ROOM, at, believed, connection, presumed

ANNA, BERTA = connection("PA_anna", joined=5), connection("PA_berta", joined=25)


def roster(moment: float) -> Roster:
    made = Roster(id="room", observed_at=at(0))
    made.observe(at(moment), ROOM, [RosterConnection(**ANNA.model_dump())], {}, run=True)
    return made


def test_by_joining_or_by_the_last_roster() -> None:
    both = believed(ANNA, BERTA)
    assert proofs_of_life(None, both, None) == {"PA_anna": at(5) + MOMENT, "PA_berta": at(25) + MOMENT}
    assert proofs_of_life(roster(20), both, None) == {"PA_anna": at(20), "PA_berta": at(25) + MOMENT}


def test_until_livekit_as_a_whole_was_gone() -> None:
    assert proofs_of_life(roster(20), believed(ANNA), at(23)) == {"PA_anna": at(23)}
    assert proofs_of_life(roster(20), believed(ANNA, BERTA), at(23))["PA_berta"] == at(25) + MOMENT
    assert proofs_of_life(roster(30), believed(ANNA), at(23)) == {"PA_anna": at(30)}


def test_of_who_had_left_before_no_outage_tells() -> None:
    assert proofs_of_life(None, presumed(ANNA, 10), at(23)) == {}
    assert proofs_of_life(None, believed(ANNA, left=10), at(23)) == {}
