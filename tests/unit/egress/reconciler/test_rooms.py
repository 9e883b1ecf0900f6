"""Rounds over rooms that differ from what is expected, on a LiveKit whose servers die."""

from collections import Counter

import pytest

from services.egress.drift.domain import Kind
from shared.contracts.livekit_events import Connection
from shared.contracts.session_events import SessionCreated, SessionDeleted, SessionStarted
from shared.contracts.states import Role, RoomOptions, SessionState, SessionStatus
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
from tests.unit.egress.reconciler.fixture import Replica


@pytest.fixture
def replica() -> Replica:
    return Replica()


def told_of(replica: Replica, session: SessionState, one: LiveKitParticipant) -> tuple[Connection, str]:
    """What the webhook of joining says: the connection and the room."""
    seconds = (one.joined_at - at(0)).total_seconds()
    told = connection(one.sid, one.identity.partition(":")[0], seconds)
    return told, replica.livekit.rooms[session.id].sid


async def test_each_period_tells_the_roster_of_each_open_room(replica: Replica) -> None:
    session, other = state(), state()
    await replica.go_live(session)
    await replica.go_live(other)
    replica.host(session)
    replica.viewer(session)
    await replica.work(25)
    rosters = await replica.rosters(session)
    assert [one.observed_at for one in rosters][:1] == [at(1)]
    assert len([one for one in rosters if one.observed_at in {at(1), at(11), at(21)}]) == 3
    assert {one.role for one in rosters[-1].connections} == {Role.HOST, Role.AUDIENCE}
    assert (await replica.rosters(other))[-1].connections == ()


async def test_a_quiet_round_costs_two_calls_for_each_live_session(replica: Replica) -> None:
    sessions = [state() for _ in range(5)]
    for session in sessions:
        await replica.go_live(session)
        await replica.hear(joined(session, *told_of(replica, session, replica.viewer(session))))
    await replica.work(5)
    before = Counter(replica.livekit.calls)
    await replica.work(10)
    assert Counter(replica.livekit.calls) - before == Counter(list_rooms=1, runs_room=5, list_participants=5)
    assert await replica.ledger() == []


async def test_a_connection_that_nobody_told_of_is_believed_and_written_down(replica: Replica) -> None:
    session = state()
    await replica.go_live(session)
    viewer = replica.viewer(session)
    await replica.work(5)
    (entry,) = await replica.ledger()
    assert (entry.kind, entry.session_id, entry.estimated) == (Kind.MISSED_JOIN, session.id, True)
    assert entry.participant is not None
    assert (entry.participant.sid, entry.participant.user_id) == (viewer.sid, VIEWER)
    (told,) = await replica.repaired()
    assert (told.drift_id, told.participant_sid, told.kind) == (entry.id, viewer.sid, "missed_join")
    await replica.work(30)
    assert await replica.kinds() == [Kind.MISSED_JOIN]


async def test_news_that_are_only_late_are_no_drift(replica: Replica) -> None:
    session = state()
    await replica.go_live(session)
    viewer = replica.viewer(session)
    await replica.work(1)
    one, room_sid = told_of(replica, session, viewer)
    await replica.hear(joined(session, one, room_sid))
    await replica.work(20)
    replica.livekit.disconnect(session.id, viewer.identity)
    await replica.work(1)
    await replica.hear(left(session, one, 21))
    await replica.work(20)
    assert await replica.ledger() == []


async def test_a_leave_that_nobody_told_of_was_at_the_last_proof_of_life(replica: Replica) -> None:
    session = state()
    await replica.go_live(session)
    viewer = replica.viewer(session)
    one, room_sid = told_of(replica, session, viewer)
    await replica.hear(joined(session, one, room_sid))
    await replica.work(13)
    replica.livekit.disconnect(session.id, viewer.identity)
    await replica.work(15)
    (entry,) = await replica.ledger()
    assert entry.kind == Kind.MISSED_LEAVE
    assert at(11).isoformat() in entry.action
    last = (await replica.rosters(session))[-1]
    assert [(gone.participant_sid, gone.last_seen_at) for gone in last.departed] == [(viewer.sid, at(11))]


async def test_a_server_dies_and_nobody_comes_back(replica: Replica) -> None:
    session = state()
    await replica.go_live(session)
    people = [replica.host(session), replica.viewer(session)]
    for person in people:
        one, room_sid = told_of(replica, session, person)
        await replica.hear(joined(session, one, room_sid))
    await replica.work(12)
    replica.livekit.crash()
    replica.parts.reconciler.recheck_all()
    await replica.work(5)
    assert len(await replica.rosters(session)) == 2, "nothing is told of a room that may be dead"
    await replica.work(2)
    (empty,) = (await replica.rosters(session))[2:3]
    assert empty.connections == ()
    assert {gone.last_seen_at for gone in empty.departed} == {at(11)}
    await replica.work(6)
    (lost,) = await replica.lost()
    assert (lost.session_id, lost.last_seen_at) == (session.id, at(11))
    assert await replica.kinds() == [Kind.MISSED_LEAVE, Kind.MISSED_LEAVE, Kind.ROOM_LOST]
    await replica.end(session)
    await replica.work(20)
    assert (await replica.kinds())[3:] == [Kind.ROOM_LEFTOVER]
    assert replica.livekit.rooms == {}


async def test_a_server_dies_and_the_host_comes_back(replica: Replica) -> None:
    session = state()
    await replica.go_live(session)
    replica.host(session)
    stale = replica.viewer(session)
    await replica.work(12)
    replica.livekit.crash()
    await replica.work(3)
    host = replica.host(session)
    await replica.work(45)
    assert await replica.lost() == []
    assert set(replica.livekit.participants[session.id]) == {host.identity}
    assert [one.participant_sid for one in (await replica.rosters(session))[-1].connections] == [host.sid]
    (entry,) = [entry for entry in await replica.ledger() if entry.kind == Kind.STALE_PARTICIPANT]
    assert entry.participant is not None
    assert entry.participant.sid == stale.sid


async def test_a_stale_participant_whose_person_reconnects_is_none(replica: Replica) -> None:
    session = state()
    await replica.go_live(session)
    for person in (replica.host(session), replica.viewer(session)):
        await replica.hear(joined(session, *told_of(replica, session, person)))
    await replica.work(12)
    replica.livekit.crash()
    await replica.work(2)
    replica.host(session)
    await replica.work(1)
    replica.viewer(session)
    await replica.work(20)
    assert len(replica.livekit.participants[session.id]) == 2
    assert Kind.STALE_PARTICIPANT not in await replica.kinds()
    assert "remove_stale_participant" not in replica.livekit.calls


async def test_an_empty_room_of_a_dead_server_waits_for_its_people(replica: Replica) -> None:
    session = state()
    await replica.go_live(session)
    replica.livekit.crash()
    await replica.work(40)
    assert (await replica.lost(), await replica.ledger()) == ([], [])


async def test_a_live_session_whose_room_is_gone_is_lost(replica: Replica) -> None:
    session = state()
    await replica.go_live(session)
    await replica.work(12)
    await replica.livekit.delete_room(session.id)
    await replica.work(25)
    lost = await replica.lost()
    assert {(one.session_id, one.last_seen_at) for one in lost} == {(session.id, at(11))}
    assert set(await replica.kinds()) == {Kind.ROOM_LOST}


async def test_a_session_that_ended_meanwhile_is_not_lost(replica: Replica) -> None:
    session = state()
    await replica.go_live(session)
    await replica.work(2)
    await replica.livekit.delete_room(session.id)
    # The news of its end is late, but its owner knows.
    replica.owner.sessions[session.id] = session.model_copy(
        update={"status": SessionStatus.ENDED, "version": 9}
    )
    await replica.work(40)
    assert (await replica.lost(), await replica.ledger()) == ([], [])


async def test_rooms_that_nobody_needs_are_closed(replica: Replica) -> None:
    over, deleted, unknown, scheduled = state(), state(), new_id(), state(status=SessionStatus.SCHEDULED)
    for room in (over.id, deleted.id, unknown, scheduled.id, "lobby"):
        await replica.livekit.create_room(room, empty_timeout=60, departure_timeout=60)
    await replica.end(over)
    await replica.follow(SessionDeleted(session=deleted))
    await replica.follow(SessionStarted(session=scheduled))
    await replica.work(8)
    assert set(replica.livekit.rooms) == {unknown, scheduled.id, "lobby"}
    await replica.work(40)
    assert set(replica.livekit.rooms) == {"lobby"}
    believed = {entry.session_id: entry.believed for entry in await replica.ledger()}
    assert believed == {
        over.id: "session ended",
        deleted.id: "session deleted",
        unknown: "session unknown",
        scheduled.id: "session scheduled",
    }


def pending() -> SessionState:
    options = RoomOptions(auto_session=True)
    return state(status=SessionStatus.SCHEDULED, started_at=None, options=options)


async def test_the_room_of_a_pending_session_is_kept_and_reported_when_it_is_gone(replica: Replica) -> None:
    session = pending()
    await replica.livekit.create_room(session.id, empty_timeout=60, departure_timeout=60)
    await replica.follow(SessionCreated(session=session))
    await replica.work(60)
    assert (set(replica.livekit.rooms), await replica.lost()) == ({session.id}, [])
    await replica.livekit.delete_room(session.id)
    await replica.work(20)
    assert {one.session_id for one in await replica.lost()} == {session.id}
    assert set(await replica.kinds()) == {Kind.PENDING_ROOM}, "until it is open again"


async def test_a_pending_session_that_is_over_for_its_owner_gets_no_room(replica: Replica) -> None:
    session = pending()
    await replica.follow(SessionCreated(session=session))
    # The news of its expiry is late, but its owner knows.
    replica.owner.sessions[session.id] = session.model_copy(
        update={"status": SessionStatus.EXPIRED, "version": 9}
    )
    await replica.work(40)
    assert (await replica.lost(), await replica.ledger()) == ([], [])


async def test_people_in_a_pending_session_s_room_are_reported(replica: Replica) -> None:
    session = pending()
    await replica.livekit.create_room(session.id, empty_timeout=60, departure_timeout=60)
    await replica.follow(SessionCreated(session=session))
    await replica.work(20)
    assert await replica.rosters(session) == []
    viewer = replica.viewer(session)
    await replica.work(20)
    roster = (await replica.rosters(session))[-1]
    assert [one.participant_sid for one in roster.connections] == [viewer.sid]


async def test_a_room_whose_session_is_live_for_its_owner_is_left_alone(replica: Replica) -> None:
    session = state()
    await replica.livekit.create_room(session.id, empty_timeout=60, departure_timeout=60)
    replica.owner.sessions[session.id] = session
    await replica.work(60)
    assert set(replica.livekit.rooms) == {session.id}
    assert await replica.ledger() == []
    assert await replica.rosters(session) != [], "from now on it is known"


async def test_nothing_is_taken_away_while_the_owner_is_silent(replica: Replica) -> None:
    session, unknown = state(), new_id()
    await replica.go_live(session)
    viewer = replica.viewer(session, role=Role.STAGE)
    await replica.livekit.create_room(unknown, empty_timeout=60, departure_timeout=60)
    replica.owner.away = True
    await replica.work(60)
    assert unknown in replica.livekit.rooms
    assert replica.livekit.participants[session.id][viewer.identity].permissions == viewer.permissions
    replica.owner.away = False
    await replica.work(3)
    assert unknown not in replica.livekit.rooms
    now = replica.livekit.participants[session.id][viewer.identity].permissions
    assert now == permissions(session, Role.AUDIENCE)


async def test_permissions_are_corrected_to_the_session_s(replica: Replica) -> None:
    session = state(roles={VIEWER: Role.MODERATOR})
    await replica.go_live(session)
    host, moderator = replica.host(session), replica.viewer(session, role=Role.CO_HOST)
    await replica.work(5)
    there = replica.livekit.participants[session.id]
    assert there[moderator.identity].permissions == permissions(session, Role.MODERATOR)
    assert there[host.identity].permissions == host.permissions
    (entry,) = [one for one in await replica.ledger() if one.kind == Kind.PERMISSION]
    assert entry.believed == "moderator: publishes nothing"
    assert entry.observed.startswith("publishes camera")


async def test_a_role_given_just_now_is_not_taken_away(replica: Replica) -> None:
    session = state()
    await replica.go_live(session)
    replica.owner.sessions[session.id] = session.model_copy(update={"stage": {VIEWER: SEAT}, "version": 3})
    viewer = replica.viewer(session, role=Role.STAGE)
    await replica.work(15)
    assert replica.livekit.participants[session.id][viewer.identity].permissions == viewer.permissions
    assert Kind.PERMISSION not in await replica.kinds()


async def test_a_livekit_that_is_away_is_looked_at_when_it_is_back(replica: Replica) -> None:
    session = state()
    await replica.go_live(session)
    await replica.work(2)
    replica.livekit.down()
    replica.parts.reconciler.recheck_all()
    for _ in range(15):
        with pytest.raises(Unavailable):
            await replica.work(1)
    replica.livekit.up()
    await replica.work(1)
    assert (await replica.rosters(session))[-1].observed_at == replica.clock.now()


async def test_one_replica_goes_its_rounds_and_another_follows_when_it_dies(replica: Replica) -> None:
    session, other = state(), Replica(like=replica)
    await replica.go_live(session)
    await replica.work(11)
    calls = len(replica.livekit.calls)
    await other.parts.lease.run_once()
    await other.parts.reconciler.run_once()
    assert len(replica.livekit.calls) == calls
    await other.work(8)
    assert other.parts.lease.held
    assert not replica.parts.lease.held
    assert (await replica.rosters(session))[-1].observed_at > at(11)


async def test_what_a_replica_notices_is_looked_into_by_the_one_with_the_lease(replica: Replica) -> None:
    session, other = state(), Replica(like=replica)
    await replica.go_live(session)
    await replica.work(1)
    replica.viewer(session)
    replica.host(session)
    calls = list(replica.livekit.calls)
    other.parts.reconciler.suspect(session.id)
    other.parts.reconciler.suspect("lobby")
    await other.parts.reconciler.run_once()
    assert not other.parts.lease.held
    assert replica.livekit.calls == calls
    await replica.work(1)
    seen = [one.user_id for one in (await replica.rosters(session))[-1].connections]
    assert sorted(seen) == sorted([HOST, VIEWER])
    assert replica.livekit.calls.count("has_participant") == 2


async def test_a_holder_that_was_frozen_deletes_no_room(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = state()
    await replica.livekit.create_room(session.id, empty_timeout=60, departure_timeout=60)
    await replica.end(session)
    ask = replica.owner.ask

    async def frozen(session_id: str) -> SessionState | None:
        answer = await ask(session_id)
        replica.clock.advance(seconds=10)
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(replica.owner, "ask", frozen)
        await replica.work(8)
        assert replica.owner.asked != [], "it was about to"
    assert set(replica.livekit.rooms) == {session.id}
    assert await replica.ledger() == []
    await replica.work(8)
    assert replica.livekit.rooms == {}


async def test_a_holder_that_was_frozen_removes_no_stale_participant(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = state()
    await replica.go_live(session)
    stale = replica.viewer(session)
    await replica.work(12)
    replica.livekit.crash()
    await replica.work(3)
    replica.host(session)
    has_participant = replica.livekit.has_participant

    async def frozen(room: str, identity: str) -> bool:
        answer = await has_participant(room, identity)
        replica.clock.advance(seconds=10)
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(replica.livekit, "has_participant", frozen)
        await replica.work(20)
    assert stale.identity in replica.livekit.participants[session.id]
    assert Kind.STALE_PARTICIPANT not in await replica.kinds()
    await replica.work(20)
    assert stale.identity not in replica.livekit.participants[session.id]
