"""Attendance corrected by rosters: what webhooks did not tell, in any order with what they did."""

from datetime import datetime
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.event import Event
from shared.contracts.livekit_events import Connection
from shared.contracts.reconciler_events import Departure, RosterConnection, RosterObserved
from shared.contracts.session_events import SessionEnded, SessionStarted
from shared.contracts.states import Role
from shared.ids import new_id
from tests.fakes.memory_mongo import memory_mongo
from tests.unit.attendance.builders import at, connection, ended, joined, left, session
from tests.unit.attendance.fixture import Replica

ROOM = "RM_1"
ANNA, BERTA = new_id(), new_id()


def roster(
    session_id: str,
    moment: float,
    *there: Connection,
    departed: dict[str, float] | None = None,
    room_sid: str = ROOM,
    joining: bool = False,
) -> RosterObserved:
    gone = (departed or {}).items()
    return RosterObserved(
        session_id=session_id,
        room_sid=room_sid,
        observed_at=at(moment),
        connections=tuple(RosterConnection(**one.model_dump(), active=not joining) for one in there),
        departed=tuple(Departure(participant_sid=sid, last_seen_at=at(seen)) for sid, seen in gone),
    )


def in_room(event: Event, room_sid: str | None = ROOM) -> Event:
    return event.model_copy(update={"room_sid": room_sid})


async def stays(replica: Replica, session_id: str) -> dict[str, tuple[datetime, datetime | None, int]]:
    """By user: joined, left, how often."""
    rows = (await replica.report(session_id)).attendance
    return {row.user_id: (row.joined_at, row.left_at, row.join_count) for row in rows}


async def test_who_is_listed_and_unknown_has_been_there_since_they_joined() -> None:
    replica, state = Replica(memory_mongo()), session()
    await replica.go_live(state)
    one = connection(ANNA, "PA_1", at(3))
    await replica.see(roster(state.id, 10, one))
    await replica.see(roster(state.id, 20, one))
    assert await stays(replica, state.id) == {ANNA: (at(3), None, 1)}
    assert (await replica.viewer_counts.seen(state.id)).viewer_count == 1
    await replica.see(in_room(joined(state.id, one)), in_room(left(state.id, one, at(25))))
    assert await stays(replica, state.id) == {ANNA: (at(3), at(25), 1)}


async def test_who_is_not_listed_left_when_last_seen() -> None:
    replica, state = Replica(memory_mongo()), session()
    await replica.go_live(state)
    seen, unseen = connection(ANNA, "PA_1", at(0)), connection(BERTA, "PA_2", at(11))
    await replica.see(in_room(joined(state.id, seen)), in_room(joined(state.id, unseen)))
    await replica.see(roster(state.id, 20, departed={"PA_1": 10}))
    assert await stays(replica, state.id) == {ANNA: (at(0), at(10), 1), BERTA: (at(11), at(11), 1)}
    assert (await replica.viewer_counts.seen(state.id)).viewer_count == 0
    documents = await replica.presences.collection.find({"estimated_left_at": {"$exists": True}})
    assert {document["_id"] for document in documents} == {"PA_1", "PA_2"}


async def test_a_real_leave_outranks_the_estimate_whenever_it_comes() -> None:
    for first in (True, False):
        replica, state = Replica(memory_mongo()), session()
        await replica.go_live(state)
        one = connection(ANNA, "PA_1", at(0))
        news: list[Event] = [
            in_room(left(state.id, one, at(14))),
            roster(state.id, 20, departed={"PA_1": 10}),
        ]
        await replica.see(in_room(joined(state.id, one)))
        for event in news if first else reversed(news):
            await replica.see(event)
        assert await stays(replica, state.id) == {ANNA: (at(0), at(14), 1)}


async def test_a_roster_says_nothing_of_who_came_after_it() -> None:
    replica, state = Replica(memory_mongo()), session()
    await replica.go_live(state)
    await replica.see(in_room(joined(state.id, connection(ANNA, "PA_1", at(10)))))
    await replica.see(roster(state.id, 9), roster(state.id, 11))
    assert await stays(replica, state.id) == {ANNA: (at(10), None, 1)}


async def test_a_roster_says_nothing_of_other_rooms() -> None:
    replica, state = Replica(memory_mongo()), session()
    await replica.go_live(state)
    await replica.see(in_room(joined(state.id, connection(ANNA, "PA_1", at(0))), "RM_0"))
    await replica.see(in_room(joined(state.id, connection(BERTA, "PA_2", at(0))), None))
    await replica.see(roster(state.id, 20))
    assert await stays(replica, state.id) == {ANNA: (at(0), None, 1), BERTA: (at(0), None, 1)}


async def test_who_is_still_connecting_is_neither_opened_nor_closed() -> None:
    replica, state = Replica(memory_mongo()), session()
    await replica.go_live(state)
    one = connection(ANNA, "PA_1", at(0))
    await replica.see(roster(state.id, 10, one, joining=True))
    assert await stays(replica, state.id) == {}
    await replica.see(in_room(joined(state.id, one)))
    await replica.see(roster(state.id, 20, one, joining=True))
    assert await stays(replica, state.id) == {ANNA: (at(0), None, 1)}


async def test_an_estimate_that_was_wrong_is_taken_back() -> None:
    replica, state = Replica(memory_mongo()), session()
    await replica.go_live(state)
    one = connection(ANNA, "PA_1", at(0))
    await replica.see(in_room(joined(state.id, one)))
    await replica.see(roster(state.id, 20, departed={"PA_1": 10}))
    await replica.see(roster(state.id, 10, one))
    assert await stays(replica, state.id) == {ANNA: (at(0), at(10), 1)}, "an older roster proves nothing new"
    await replica.see(roster(state.id, 30, one))
    assert await stays(replica, state.id) == {ANNA: (at(0), None, 1)}


async def test_staff_and_monitors_on_a_roster_are_no_viewers() -> None:
    replica, state = Replica(memory_mongo()), session()
    await replica.go_live(state)
    await replica.see(
        roster(
            state.id,
            10,
            connection(new_id(), "PA_1", at(0), role=Role.CO_HOST),
            connection(new_id(), "PA_2", at(0), hidden=True),
            connection(new_id(), "PA_3", at(0), kind="ingress"),
        )
    )
    assert await stays(replica, state.id) == {}


async def test_a_session_that_is_over_is_not_corrected() -> None:
    replica, state = Replica(memory_mongo()), session()
    await replica.go_live(state)
    await replica.see(SessionEnded(session=ended(state, at(5))))
    await replica.see(roster(state.id, 10, connection(ANNA, "PA_1", at(0))))
    assert await stays(replica, state.id) == {}


visits = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 50), st.none() | st.integers(0, 30)), min_size=1, max_size=5
)


@settings(deadline=None, max_examples=80)
@given(st.data())
async def test_with_rosters_lost_webhooks_do_not_matter_but_for_a_period(data: st.DataObject) -> None:
    """Whatever is lost, told twice or out of order: who is there is known, and times are a period off."""
    people = [
        (connection((ANNA, BERTA)[user], f"PA_{number}", at(start)), start, length)
        for number, (user, start, length) in enumerate(data.draw(visits))
    ]
    state, events = session(), []
    for one, start, length in people:
        events.append(in_room(joined(state.id, one)))
        if length is not None:
            events.append(in_room(left(state.id, one, at(start + length))))
    kept: list[Event] = [event for event in events if data.draw(st.booleans())]
    rosters, seen, departed = [], dict[str, float](), dict[str, float]()
    for moment in range(5, 106, 10):
        there = [
            one
            for one, start, length in people
            if start <= moment and (length is None or moment < start + length)
        ]
        departed |= {
            sid: last for sid, last in seen.items() if sid not in {one.participant_sid for one in there}
        }
        rosters.append(roster(state.id, moment, *there, departed=departed))
        seen = {one.participant_sid: moment for one in there}
    shuffled = data.draw(st.permutations([*kept, *rosters]))
    # The last roster is the last word: one that comes later than a newer one must not undo it.
    order: list[Event] = [SessionStarted(session=state), *shuffled, rosters[-1]]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(order)), max_size=3)))
    replica = Replica(memory_mongo())
    for start, stop in pairwise([0, *cuts, len(order)]):
        await replica.see(*order[start:stop])

    documents = {one["_id"]: one for one in await replica.presences.collection.find({})}
    for one, start, length in people:
        document = documents.get(one.participant_sid)
        if length is None:
            assert document is not None
            assert document["open"]
        elif document is not None:
            assert not document["open"]
            end = document.get("left_at") or document["estimated_left_at"]
            assert at(start) <= end <= at(start + length)
            assert (at(start + length) - end).total_seconds() <= 10 or start + length - start <= 10
