"""Who is banned counts nowhere, and who may see whom."""

import pytest

from shared.contracts.reconciler_events import RosterConnection, RosterObserved
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import PresetSettings, PresetType, StageSeat
from shared.errors import Forbidden
from shared.ids import new_id
from tests.unit.attendance.builders import T0, at, connection, host, joined, left, session, viewer
from tests.unit.attendance.fixture import Replica

PRESET = PresetSettings(name="P", type=PresetType.WHIP, primary_color="#000000")
SEAT = StageSeat(id=new_id(), name="Anna", joined_stage_at=T0)


async def test_who_comes_in_spite_of_a_ban_counts_nowhere(replica: Replica) -> None:
    """Not while the ban lasts and not later; what they watched before it counts."""
    state, vera, berta = session(), new_id(), new_id()
    first = connection(vera, "PA_first", at(0))
    await replica.go_live(state)
    await replica.see(joined(state.id, first), joined(state.id, connection(berta, "PA_b", at(10.5))))
    banned = state.model_copy(update={"version": 2, "banned": {vera: at(10), berta: at(10)}})
    again = connection(vera, "PA_again", at(12))
    await replica.see(left(state.id, first, at(10)), SessionUpdated(session=banned))
    await replica.see(joined(state.id, again))
    await replica.see(left(state.id, again, at(13)))
    await replica.see(SessionUpdated(session=state.model_copy(update={"version": 3})))
    replica.clock.advance(seconds=20)
    report = await replica.report(state.id)
    (row,) = report.attendance
    assert (row.user_id, row.watch_duration, row.join_count) == (vera, 10, 1)
    assert (report.total, report.currently_watching) == (1, 0)
    assert (await replica.told())[-1].viewer_count == 0


async def test_a_roster_brings_nobody_back_who_is_banned(replica: Replica) -> None:
    state, vera = session(), new_id()
    await replica.go_live(state)
    await replica.see(
        SessionUpdated(session=state.model_copy(update={"version": 2, "banned": {vera: at(1)}}))
    )
    there = RosterConnection(**connection(vera, "PA_1", at(2)).model_dump(), active=True)
    await replica.see(
        RosterObserved(
            session_id=state.id,
            version=1,
            room_sid="RM_1",
            observed_at=at(5),
            connections=(there,),
            departed=(),
        )
    )
    assert (await replica.report(state.id)).total == 0


async def test_who_may_see_the_viewers(replica: Replica) -> None:
    vera, anna = new_id(), new_id()
    hidden = PRESET.model_copy(update={"audience_can_see_participants": False})
    state = session(preset=hidden, stage={anna: SEAT})
    await replica.go_live(state)
    with pytest.raises(Forbidden):
        await replica.presence.viewers(state.id, viewer(vera))
    for caller in (viewer(anna), host()):
        assert (await replica.presence.viewers(state.id, caller)).total == 0
    alone = hidden.model_copy(update={"onstage_viewer_view": False})
    await replica.see(SessionUpdated(session=state.model_copy(update={"version": 2, "preset": alone})))
    with pytest.raises(Forbidden):
        await replica.presence.viewers(state.id, viewer(anna))
