"""Connections one by one: whose they are, since when and until when, and pages of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from services.attendance.connections import service
from services.attendance.connections.domain import ConnectionPage
from services.attendance.connections.service import ConnectionFilter
from shared.access.encoders import EncoderOwner
from shared.contracts.livekit_events import Connection
from shared.contracts.reconciler_events import Departure, RosterConnection, RosterObserved
from shared.contracts.session_events import SessionDeleted, SessionEnded, SessionUpdated
from shared.contracts.states import Role, SessionState, StageSeat
from shared.errors import Forbidden, InvalidRequest, NotFound
from shared.ids import connection_id, new_id
from shared.persistence.mongo import UpdateOne
from tests.unit.attendance.builders import (
    HOST_ID,
    ORGANIZATION,
    aborted,
    at,
    connection,
    ended,
    host,
    joined,
    left,
    session,
    viewer,
)
from tests.unit.attendance.fixture import Replica

ALL = ConnectionFilter()


async def live(replica: Replica, **fields: Any) -> SessionState:
    state = session(**fields)
    await replica.go_live(state)
    return state


async def page(
    replica: Replica,
    state: SessionState,
    wanted: ConnectionFilter = ALL,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> ConnectionPage:
    return await replica.connections.page(state.id, host(), None, wanted, cursor=cursor, limit=limit)


async def sids(replica: Replica, state: SessionState, wanted: ConnectionFilter = ALL) -> list[str]:
    """Of all pages, two at a time."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        part = await page(replica, state, wanted, cursor=cursor, limit=2)
        found += [one.participant_sid for one in part.connections]
        cursor = part.next_cursor
        if cursor is None:
            return found


async def test_each_connection_is_shown_with_its_times(replica: Replica) -> None:
    state, user = await live(replica), new_id()
    phone = connection(user, "PA_phone", at(0), external_user_id="customer-7", username="Carla")
    again = connection(user, "PA_again", at(30), external_user_id="customer-7", username="Carla B")
    await replica.see(joined(state.id, again), left(state.id, phone, at(10)), joined(state.id, phone))
    first, second = (await page(replica, state)).connections
    assert (first.id, first.session_id) == (connection_id(state.id, "PA_phone"), state.id)
    assert (first.user_id, first.external_user_id, first.name) == (user, "customer-7", "Carla")
    assert (first.joined_at, first.left_at, first.estimated) == (at(0), at(10), False)
    assert (second.participant_sid, second.name, second.left_at) == ("PA_again", "Carla B", None)


async def test_only_people_are_shown_and_staff_is_among_them(replica: Replica) -> None:
    state, banned = await live(replica), new_id()
    encoder = EncoderOwner(HOST_ID).identity("whip")
    await replica.see(
        joined(state.id, connection(HOST_ID, "PA_host", at(0), role=Role.HOST)),
        joined(state.id, connection(new_id(), "PA_co_host", at(1), role=Role.CO_HOST)),
        joined(state.id, connection(banned, "PA_banned", at(2))),
        joined(state.id, connection(HOST_ID, "PA_monitor", at(3), role=Role.HOST, hidden=True)),
        joined(state.id, connection(new_id(), "PA_recorder", at(4), recorder=True)),
        joined(state.id, connection(new_id(), "PA_egress", at(5), kind="egress")),
        joined(state.id, connection(new_id(), "PA_ingress", at(6), kind="ingress")),
        joined(state.id, connection(HOST_ID, "PA_whip", at(7), role=Role.HOST, identity=encoder)),
        aborted(state.id, connection(new_id(), "PA_aborted", at(8)), at(9)),
    )
    shown = ["PA_host", "PA_co_host", "PA_banned"]
    assert await sids(replica, state) == shown
    changed = state.model_copy(update={"version": 2, "banned": {banned: at(0)}})
    await replica.see(SessionUpdated(session=changed))
    assert await sids(replica, state) == shown


async def test_a_lost_leave_is_estimated_and_outranked_by_the_report(replica: Replica) -> None:
    state, one = await live(replica), connection(new_id(), "PA_1", at(0))
    await replica.see(joined(state.id, one).model_copy(update={"room_sid": "RM_1"}))
    roster = RosterObserved(
        session_id=state.id,
        room_sid="RM_1",
        observed_at=at(60),
        connections=(),
        departed=(Departure(participant_sid="PA_1", last_seen_at=at(40)),),
    )
    await replica.see(roster)
    (shown,) = (await page(replica, state)).connections
    assert shown.left_at is not None
    assert shown.estimated
    await replica.see(left(state.id, one, at(41)))
    (shown,) = (await page(replica, state)).connections
    assert (shown.left_at, shown.estimated) == (at(41), False)


async def test_whom_only_a_roster_shows_is_listed(replica: Replica) -> None:
    state = await live(replica)
    unseen = connection(new_id(), "PA_1", at(5), external_user_id="c-1")
    there = (RosterConnection(**unseen.model_dump()),)
    await replica.see(
        RosterObserved(
            session_id=state.id, room_sid="RM_1", observed_at=at(9), connections=there, departed=()
        )
    )
    (shown,) = (await page(replica, state)).connections
    assert (shown.joined_at, shown.external_user_id) == (at(5), "c-1")


async def test_the_sessions_end_ends_every_connection(replica: Replica) -> None:
    state = await live(replica)
    stays, leaves = connection(new_id(), "PA_stays", at(0)), connection(new_id(), "PA_leaves", at(1))
    await replica.see(joined(state.id, stays), joined(state.id, leaves), left(state.id, leaves, at(20)))
    await replica.see(SessionEnded(session=ended(state, at(30))))
    # LiveKit reports it when it closes the room, a little later.
    await replica.see(left(state.id, stays, at(31)))
    found = (await page(replica, state)).connections
    assert [(one.left_at, one.estimated) for one in found] == [(at(30), False), (at(20), False)]


async def test_those_who_are_there_and_those_who_left(replica: Replica) -> None:
    state, user = await live(replica), new_id()
    gone, here = connection(user, "PA_gone", at(0)), connection(user, "PA_here", at(5))
    other = connection(new_id(), "PA_other", at(6))
    await replica.see(*(joined(state.id, one) for one in (gone, here, other)), left(state.id, gone, at(4)))
    assert await sids(replica, state, ConnectionFilter(active=True)) == ["PA_here", "PA_other"]
    assert await sids(replica, state, ConnectionFilter(active=False)) == ["PA_gone"]
    assert await sids(replica, state, ConnectionFilter(user_id=user)) == ["PA_gone", "PA_here"]
    assert await sids(replica, state, ConnectionFilter(user_id=user, active=True)) == ["PA_here"]
    # Nobody reported their leaving.
    await replica.see(SessionEnded(session=ended(state, at(30))))
    assert await sids(replica, state, ConnectionFilter(active=True)) == []
    assert await sids(replica, state, ConnectionFilter(active=False)) == ["PA_gone", "PA_here", "PA_other"]


async def test_the_role_is_the_present_one_and_then_the_last(replica: Replica) -> None:
    user, named = new_id(), new_id()
    seat = StageSeat(id=new_id(), name="G", joined_stage_at=at(0))
    state = await live(replica, stage={user: seat})
    await replica.see(
        joined(state.id, connection(user, "PA_1", at(0), role=Role.STAGE)),
        joined(state.id, connection(named, "PA_2", at(1))),
    )
    changed = state.model_copy(update={"version": 2, "stage": {}, "roles": {named: Role.MODERATOR}})
    await replica.see(SessionUpdated(session=changed))
    assert [one.role for one in (await page(replica, state)).connections] == [Role.AUDIENCE, Role.MODERATOR]
    await replica.see(SessionEnded(session=ended(changed, at(30))))
    assert [one.role for one in (await page(replica, state)).connections] == [Role.STAGE, Role.MODERATOR]


@pytest.mark.parametrize("apart", [1, 0], ids=["one after the other", "in one moment"])
@pytest.mark.parametrize("limit", [1, 3, 7])
async def test_pages_show_each_once_while_people_join(replica: Replica, apart: int, limit: int) -> None:
    state = await live(replica)
    people = [connection(new_id(), f"PA_{n:02}", at(apart * n)) for n in range(10)]
    await replica.see(*(joined(state.id, one) for one in people))
    found: list[str] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        part = await page(replica, state, cursor=cursor, limit=limit)
        found += [one.participant_sid for one in part.connections]
        cursor, pages = part.next_cursor, pages + 1
        late = connection(new_id(), f"PB_{pages:02}", at(100 + pages))
        if pages < 4:
            await replica.see(joined(state.id, late))
        await replica.see(left(state.id, people[pages % 10], at(200)))
    assert found[:10] == [one.participant_sid for one in people]
    assert len(found) == len(set(found))


async def test_a_place_holds_after_its_connection_no_longer_matches(replica: Replica) -> None:
    state = await live(replica)
    people = [connection(new_id(), f"PA_{n}", at(0)) for n in range(4)]
    await replica.see(*(joined(state.id, one) for one in people))
    there = ConnectionFilter(active=True)
    first = await page(replica, state, there, limit=2)
    await replica.see(left(state.id, people[1], at(5)))
    rest = await page(replica, state, there, cursor=first.next_cursor)
    assert [one.participant_sid for one in rest.connections] == ["PA_2", "PA_3"]


@pytest.mark.parametrize(
    "cursor", [new_id(), str(UUID(int=0)), str(UUID(int=2**128 - 1))], ids=["unknown", "lowest", "highest"]
)
async def test_a_cursor_of_no_page_is_refused(replica: Replica, cursor: str) -> None:
    state = await live(replica)
    await replica.see(joined(state.id, connection(new_id(), "PA_1", at(0))))
    with pytest.raises(InvalidRequest) as refusal:
        await page(replica, state, cursor=cursor)
    assert [one.field for one in refusal.value.errors] == ["cursor"]


async def test_a_cursor_of_another_session_is_refused(replica: Replica) -> None:
    states = [await live(replica), await live(replica)]
    for state in states:
        people = [connection(new_id(), f"{state.id}-{n}", at(n)) for n in range(2)]
        await replica.see(*(joined(state.id, one) for one in people))
    first = await page(replica, states[0], limit=1)
    with pytest.raises(InvalidRequest):
        await page(replica, states[1], cursor=first.next_cursor)


async def test_presences_of_earlier_releases_are_read(replica: Replica) -> None:
    state = await live(replica)
    await replica.see(
        joined(state.id, connection(new_id(), "PA_viewer", at(0))),
        joined(state.id, connection(HOST_ID, "PA_monitor", at(1), role=Role.HOST, hidden=True)),
    )
    without = {"$unset": {"person": "", "external_user_id": ""}}
    writes = [UpdateOne({"_id": sid}, without) for sid in ("PA_viewer", "PA_monitor")]
    await replica.presences.collection.bulk(writes)
    (shown,) = (await page(replica, state)).connections
    assert (shown.participant_sid, shown.external_user_id) == ("PA_viewer", None)
    assert await sids(replica, state) == ["PA_viewer"]
    together = await replica.connections.of_sessions([state.id], host())
    assert list(together.connections[state.id]) == [shown]
    # What is reported of one of them later completes it.
    known = connection(shown.user_id, "PA_viewer", at(0), external_user_id="c-1")
    await replica.see(joined(state.id, known))
    assert [one.external_user_id for one in (await page(replica, state)).connections] == ["c-1"]


async def join_many(replica: Replica, state: SessionState, *moments: datetime) -> list[str]:
    people: list[Connection] = [
        connection(new_id(), f"PA_{state.id}_{number}", moment) for number, moment in enumerate(moments)
    ]
    await replica.see(*(joined(state.id, one) for one in people))
    return [one.participant_sid for one in people]


async def test_connections_of_several_sessions_come_together(replica: Replica) -> None:
    first, second, empty = [await live(replica) for _ in range(3)]
    theirs = {
        first.id: await join_many(replica, first, at(0), at(1)),
        second.id: await join_many(replica, second, at(0)),
        empty.id: [],
    }
    await replica.see(SessionEnded(session=ended(first, at(30))))
    found = await replica.connections.of_sessions([second.id, first.id, empty.id, first.id], host())
    assert {id_: [one.participant_sid for one in of] for id_, of in found.connections.items()} == theirs
    assert [one.left_at for one in found.connections[first.id]] == [at(30), at(30)]
    assert [one.left_at for one in found.connections[second.id]] == [None]
    assert found.incomplete == []


async def test_what_does_not_fit_is_named(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    states = sorted([await live(replica) for _ in range(3)], key=lambda one: one.id)
    for state in states:
        await join_many(replica, state, at(0), at(1))
    ids = [state.id for state in states]
    for room, complete in ((6, 3), (5, 2), (4, 2), (3, 1), (1, 0)):
        monkeypatch.setattr(service, "MOST_AT_ONCE", room)
        found = await replica.connections.of_sessions(ids, host())
        assert (list(found.connections), found.incomplete) == (ids[:complete], ids[complete:])
        assert all(len(theirs) == 2 for theirs in found.connections.values())


async def test_only_whoever_controls_all_sessions_sees_them(replica: Replica) -> None:
    own, deleted = await live(replica), await live(replica)
    foreign = await live(replica, organization_id=new_id(), host_id=new_id())
    await replica.see(SessionDeleted(session=deleted))
    for hidden in (foreign.id, deleted.id, new_id()):
        with pytest.raises(NotFound):
            await replica.connections.of_sessions([own.id, hidden], host())
        with pytest.raises(NotFound):
            await replica.connections.page(hidden, host(), None, ALL, cursor=None, limit=1)
    colleague = host(user_id=new_id(), organization_id=ORGANIZATION)
    for other in (viewer(new_id()), colleague):
        with pytest.raises(Forbidden):
            await replica.connections.of_sessions([own.id], other)
        with pytest.raises(Forbidden):
            await replica.connections.page(own.id, other, None, ALL, cursor=None, limit=1)
    with pytest.raises(NotFound):
        await replica.connections.page(own.id, host(), new_id(), ALL, cursor=None, limit=1)
    assert await page(replica, own) == ConnectionPage([], None)
