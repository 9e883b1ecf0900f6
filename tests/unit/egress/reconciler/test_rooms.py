"""Rounds over rooms that differ from what is expected, on a LiveKit whose servers die."""

from collections import Counter

import pytest

from services.egress.drift.domain import Kind
from shared.contracts.livekit_events import Connection
from shared.contracts.session_events import SessionDeleted, SessionStarted
from shared.contracts.states import Role, SessionState, SessionStatus
from shared.errors import Unavailable
from shared.ids import new_id
from shared.livekit import LiveKitParticipant
from tests.unit.egress.reconciler.builders import (
    HOST,
    SEAT,
    VIEWER,
    at,
    connection,
    joined,
    left,
    permissions,
    state,
)
from tests.unit.egress.reconciler.fixture import House


@pytest.fixture
def house() -> House:
    return House()


def told_of(house: House, session: SessionState, one: LiveKitParticipant) -> tuple[Connection, str]:
    """What the webhook of joining says: the connection and the room."""
    seconds = (one.joined_at - at(0)).total_seconds()
    told = connection(one.sid, one.identity.partition(":")[0], seconds)
    return told, house.livekit.rooms[session.id].sid


async def test_each_period_tells_the_roster_of_each_open_room(house: House) -> None:
    session, other = state(), state()
    await house.go_live(session)
    await house.go_live(other)
    house.host(session)
    house.viewer(session)
    await house.work(25)
    rosters = await house.rosters(session)
    assert [one.observed_at for one in rosters][:1] == [at(1)]
    assert len([one for one in rosters if one.observed_at in {at(1), at(11), at(21)}]) == 3
    assert {one.role for one in rosters[-1].connections} == {Role.HOST, Role.AUDIENCE}
    assert (await house.rosters(other))[-1].connections == ()


async def test_a_quiet_round_costs_two_calls_for_each_live_session(house: House) -> None:
    sessions = [state() for _ in range(5)]
    for session in sessions:
        await house.go_live(session)
        await house.hear(joined(session, *told_of(house, session, house.viewer(session))))
    await house.work(5)
    before = Counter(house.livekit.calls)
    await house.work(10)
    assert Counter(house.livekit.calls) - before == Counter(list_rooms=1, runs_room=5, list_participants=5)
    assert await house.ledger() == []


async def test_a_connection_that_nobody_told_of_is_believed_and_written_down(house: House) -> None:
    session = state()
    await house.go_live(session)
    viewer = house.viewer(session)
    await house.work(5)
    (entry,) = await house.ledger()
    assert (entry.kind, entry.session_id, entry.estimated) == (Kind.MISSED_JOIN, session.id, True)
    assert entry.participant is not None
    assert (entry.participant.sid, entry.participant.user_id) == (viewer.sid, VIEWER)
    (told,) = await house.repaired()
    assert (told.drift_id, told.participant_sid, told.kind) == (entry.id, viewer.sid, "missed_join")
    await house.work(30)
    assert await house.kinds() == [Kind.MISSED_JOIN]


async def test_news_that_are_only_late_are_no_drift(house: House) -> None:
    session = state()
    await house.go_live(session)
    viewer = house.viewer(session)
    await house.work(1)
    one, room_sid = told_of(house, session, viewer)
    await house.hear(joined(session, one, room_sid))
    await house.work(20)
    house.livekit.disconnect(session.id, viewer.identity)
    await house.work(1)
    await house.hear(left(session, one, 21))
    await house.work(20)
    assert await house.ledger() == []


async def test_a_leave_that_nobody_told_of_was_at_the_last_proof_of_life(house: House) -> None:
    session = state()
    await house.go_live(session)
    viewer = house.viewer(session)
    one, room_sid = told_of(house, session, viewer)
    await house.hear(joined(session, one, room_sid))
    await house.work(13)
    house.livekit.disconnect(session.id, viewer.identity)
    await house.work(15)
    (entry,) = await house.ledger()
    assert entry.kind == Kind.MISSED_LEAVE
    assert at(11).isoformat() in entry.action
    last = (await house.rosters(session))[-1]
    assert [(gone.participant_sid, gone.last_seen_at) for gone in last.departed] == [(viewer.sid, at(11))]


async def test_a_server_dies_and_nobody_comes_back(house: House) -> None:
    session = state()
    await house.go_live(session)
    people = [house.host(session), house.viewer(session)]
    for person in people:
        one, room_sid = told_of(house, session, person)
        await house.hear(joined(session, one, room_sid))
    await house.work(12)
    house.livekit.crash()
    house.parts.reconciler.recheck_all()
    await house.work(5)
    assert len(await house.rosters(session)) == 2, "nothing is told of a room that may be dead"
    await house.work(2)
    (empty,) = (await house.rosters(session))[2:3]
    assert empty.connections == ()
    assert {gone.last_seen_at for gone in empty.departed} == {at(11)}
    await house.work(6)
    (lost,) = await house.lost()
    assert (lost.session_id, lost.last_seen_at) == (session.id, at(11))
    assert await house.kinds() == [Kind.MISSED_LEAVE, Kind.MISSED_LEAVE, Kind.ROOM_LOST]
    await house.end(session)
    await house.work(20)
    assert (await house.kinds())[3:] == [Kind.ROOM_LEFTOVER]
    assert house.livekit.rooms == {}


async def test_a_server_dies_and_the_host_comes_back(house: House) -> None:
    session = state()
    await house.go_live(session)
    house.host(session)
    stale = house.viewer(session)
    await house.work(12)
    house.livekit.crash()
    await house.work(3)
    host = house.host(session)
    await house.work(45)
    assert await house.lost() == []
    assert set(house.livekit.participants[session.id]) == {host.identity}
    assert [one.participant_sid for one in (await house.rosters(session))[-1].connections] == [host.sid]
    (entry,) = [entry for entry in await house.ledger() if entry.kind == Kind.STALE_PARTICIPANT]
    assert entry.participant is not None
    assert entry.participant.sid == stale.sid


async def test_a_stale_participant_whose_person_reconnects_is_none(house: House) -> None:
    session = state()
    await house.go_live(session)
    for person in (house.host(session), house.viewer(session)):
        await house.hear(joined(session, *told_of(house, session, person)))
    await house.work(12)
    house.livekit.crash()
    await house.work(2)
    house.host(session)
    await house.work(1)
    house.viewer(session)
    await house.work(20)
    assert len(house.livekit.participants[session.id]) == 2
    assert Kind.STALE_PARTICIPANT not in await house.kinds()
    assert "remove_stale_participant" not in house.livekit.calls


async def test_an_empty_room_of_a_dead_server_waits_for_its_people(house: House) -> None:
    session = state()
    await house.go_live(session)
    house.livekit.crash()
    await house.work(40)
    assert (await house.lost(), await house.ledger()) == ([], [])


async def test_a_live_session_whose_room_is_gone_is_lost(house: House) -> None:
    session = state()
    await house.go_live(session)
    await house.work(12)
    await house.livekit.delete_room(session.id)
    await house.work(25)
    lost = await house.lost()
    assert {(one.session_id, one.last_seen_at) for one in lost} == {(session.id, at(11))}
    assert set(await house.kinds()) == {Kind.ROOM_LOST}


async def test_a_session_that_ended_meanwhile_is_not_lost(house: House) -> None:
    session = state()
    await house.go_live(session)
    await house.work(2)
    await house.livekit.delete_room(session.id)
    # The news of its end is late, but its owner knows.
    house.owner.sessions[session.id] = session.model_copy(
        update={"status": SessionStatus.ENDED, "version": 9}
    )
    await house.work(40)
    assert (await house.lost(), await house.ledger()) == ([], [])


async def test_rooms_that_nobody_needs_are_closed(house: House) -> None:
    over, deleted, unknown, scheduled = state(), state(), new_id(), state(status=SessionStatus.SCHEDULED)
    for room in (over.id, deleted.id, unknown, scheduled.id, "lobby"):
        await house.livekit.create_room(room, empty_timeout=60, departure_timeout=60)
    await house.end(over)
    await house.follow(SessionDeleted(session=deleted))
    await house.follow(SessionStarted(session=scheduled))
    await house.work(8)
    assert set(house.livekit.rooms) == {unknown, scheduled.id, "lobby"}
    await house.work(40)
    assert set(house.livekit.rooms) == {"lobby"}
    believed = {entry.session_id: entry.believed for entry in await house.ledger()}
    assert believed == {
        over.id: "session ended",
        deleted.id: "session deleted",
        unknown: "session unknown",
        scheduled.id: "session scheduled",
    }


async def test_a_room_whose_session_is_live_for_its_owner_is_left_alone(house: House) -> None:
    session = state()
    await house.livekit.create_room(session.id, empty_timeout=60, departure_timeout=60)
    house.owner.sessions[session.id] = session
    await house.work(60)
    assert set(house.livekit.rooms) == {session.id}
    assert await house.ledger() == []
    assert await house.rosters(session) != [], "from now on it is known"


async def test_nothing_is_taken_away_while_the_owner_is_silent(house: House) -> None:
    session, unknown = state(), new_id()
    await house.go_live(session)
    viewer = house.viewer(session, role=Role.STAGE)
    await house.livekit.create_room(unknown, empty_timeout=60, departure_timeout=60)
    house.owner.away = True
    await house.work(60)
    assert unknown in house.livekit.rooms
    assert house.livekit.participants[session.id][viewer.identity].permissions == viewer.permissions
    house.owner.away = False
    await house.work(3)
    assert unknown not in house.livekit.rooms
    now = house.livekit.participants[session.id][viewer.identity].permissions
    assert now == permissions(session, Role.AUDIENCE)


async def test_permissions_are_corrected_to_the_session_s(house: House) -> None:
    session = state(roles={VIEWER: Role.MODERATOR})
    await house.go_live(session)
    host, moderator = house.host(session), house.viewer(session, role=Role.CO_HOST)
    await house.work(5)
    there = house.livekit.participants[session.id]
    assert there[moderator.identity].permissions == permissions(session, Role.MODERATOR)
    assert there[host.identity].permissions == host.permissions
    (entry,) = [one for one in await house.ledger() if one.kind == Kind.PERMISSION]
    assert entry.believed == "moderator: publishes nothing"
    assert entry.observed.startswith("publishes camera")


async def test_a_role_given_just_now_is_not_taken_away(house: House) -> None:
    session = state()
    await house.go_live(session)
    house.owner.sessions[session.id] = session.model_copy(update={"stage": {VIEWER: SEAT}, "version": 3})
    viewer = house.viewer(session, role=Role.STAGE)
    await house.work(15)
    assert house.livekit.participants[session.id][viewer.identity].permissions == viewer.permissions
    assert Kind.PERMISSION not in await house.kinds()


async def test_a_livekit_that_is_away_is_looked_at_when_it_is_back(house: House) -> None:
    session = state()
    await house.go_live(session)
    await house.work(2)
    house.livekit.down()
    house.parts.reconciler.recheck_all()
    for _ in range(15):
        with pytest.raises(Unavailable):
            await house.work(1)
    house.livekit.up()
    await house.work(1)
    assert (await house.rosters(session))[-1].observed_at == house.clock.now()


async def test_one_replica_goes_its_rounds_and_another_follows_when_it_dies(house: House) -> None:
    session, other = state(), House(like=house)
    await house.go_live(session)
    await house.work(11)
    calls = len(house.livekit.calls)
    await other.parts.lease.look()
    await other.parts.reconciler.work()
    assert len(house.livekit.calls) == calls
    await other.work(8)
    assert other.parts.lease.held
    assert not house.parts.lease.held
    assert (await house.rosters(session))[-1].observed_at > at(11)


async def test_what_a_replica_notices_is_looked_into_by_the_one_with_the_lease(house: House) -> None:
    session, other = state(), House(like=house)
    await house.go_live(session)
    await house.work(1)
    house.viewer(session)
    house.host(session)
    calls = list(house.livekit.calls)
    other.parts.reconciler.suspect(session.id)
    other.parts.reconciler.suspect("lobby")
    await other.parts.reconciler.work()
    assert not other.parts.lease.held
    assert house.livekit.calls == calls
    await house.work(1)
    seen = [one.user_id for one in (await house.rosters(session))[-1].connections]
    assert sorted(seen) == sorted([HOST, VIEWER])
    assert house.livekit.calls.count("has_participant") == 2


async def test_a_holder_that_was_frozen_deletes_no_room(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = state()
    await house.livekit.create_room(session.id, empty_timeout=60, departure_timeout=60)
    await house.end(session)
    ask = house.owner.ask

    async def frozen(session_id: str) -> SessionState | None:
        answer = await ask(session_id)
        house.clock.advance(seconds=10)
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(house.owner, "ask", frozen)
        await house.work(8)
        assert house.owner.asked != [], "it was about to"
    assert set(house.livekit.rooms) == {session.id}
    assert await house.ledger() == []
    await house.work(8)
    assert house.livekit.rooms == {}


async def test_a_holder_that_was_frozen_removes_no_stale_participant(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = state()
    await house.go_live(session)
    stale = house.viewer(session)
    await house.work(12)
    house.livekit.crash()
    await house.work(3)
    house.host(session)
    has_participant = house.livekit.has_participant

    async def frozen(room: str, identity: str) -> bool:
        answer = await has_participant(room, identity)
        house.clock.advance(seconds=10)
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(house.livekit, "has_participant", frozen)
        await house.work(20)
    assert stale.identity in house.livekit.participants[session.id]
    assert Kind.STALE_PARTICIPANT not in await house.kinds()
    await house.work(20)
    assert stale.identity not in house.livekit.participants[session.id]
