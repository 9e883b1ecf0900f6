"""A stream that is stopped while its session goes on, and one that is asked for again."""

import asyncio

import pytest

from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import RecordingStatus, SessionState, StreamRequest, StreamStatus
from shared.egress.engine import EgressStatus
from tests.unit.egress.streams.fixture import Replica


@pytest.fixture
async def replica() -> Replica:
    replica = Replica()
    await replica.ensure_indexes()
    return replica


def stopped(session: SessionState) -> SessionState:
    wish = StreamRequest(attempt=session.stream.attempt)
    return session.model_copy(update={"version": session.version + 1, "stream": wish})


async def stop(replica: Replica, session: SessionState) -> None:
    await replica.follow(SessionUpdated(session=stopped(replica.owner.sessions[session.id])))


async def test_it_ends_with_the_recording_that_it_makes(replica: Replica) -> None:
    session = await replica.go_live(record=True)
    await replica.work()
    await replica.active()
    await stop(replica, session)
    await replica.work()
    assert (await replica.stream(session)).status is StreamStatus.ENDING
    assert replica.engine.stopped == ["EG_0000"]
    replica.clock.advance(seconds=5)
    await replica.complete("EG_0000")
    stream = await replica.stream(session)
    [(recording, *_), _] = await replica.recordings.list_of_session(session.id, skip=0, limit=2)
    assert (stream.status, stream.ended_at) == (StreamStatus.ENDED, replica.clock.now())
    assert (recording.status, recording.finished_at) == (RecordingStatus.COMPLETED, replica.clock.now())
    await replica.track(session)
    await replica.work(60)
    assert len(replica.engine.begun) == 1


async def test_a_recording_beside_it_goes_on(replica: Replica) -> None:
    session = await replica.go_live()
    await replica.work()
    await replica.active()
    await replica.again(session, record=True)
    await replica.work()
    await stop(replica, session)
    await replica.work(5)
    assert (set(replica.engine.stopped), len(replica.engine.running)) == ({"EG_0000"}, 1)


@pytest.mark.parametrize("over", [True, False])
async def test_it_is_started_again_also_while_the_last_run_still_ends(replica: Replica, over: bool) -> None:
    session = await replica.go_live()
    await replica.work()
    await replica.active()
    began = (await replica.stream(session)).started_at
    await stop(replica, session)
    await replica.work()
    if over:
        await replica.ended("EG_0000")
    replica.clock.advance(seconds=30)
    await replica.again(session)
    await replica.work()
    stream = await replica.stream(session)
    assert (stream.status, stream.ended_at, len(replica.engine.begun)) == (StreamStatus.STARTING, None, 2)
    await replica.active("EG_0001")
    if not over:
        await replica.ended("EG_0000")
    stream = await replica.stream(session)
    assert stream.status is StreamStatus.ACTIVE
    assert began is not None
    assert stream.started_at is not None
    assert stream.started_at > began


async def test_one_that_never_began_is_not_begun(replica: Replica) -> None:
    session = await replica.go_live(record=True)
    await stop(replica, session)
    await replica.work(30)
    assert (replica.engine.asked, (await replica.stream(session)).status) == ([], StreamStatus.ENDED)


async def test_one_that_has_failed_is_over(replica: Replica) -> None:
    session = await replica.go_live()
    await replica.work()
    await replica.active()
    await replica.ended("EG_0000", EgressStatus.COMPLETE)
    assert (await replica.stream(session)).status is StreamStatus.FAILED
    await stop(replica, session)
    await replica.work(10)
    assert (await replica.stream(session)).status is StreamStatus.ENDED


async def test_an_older_state_starts_none_and_stops_none(replica: Replica) -> None:
    session = await replica.go_live()
    await stop(replica, session)
    await replica.parts.streams._ensure(session)
    assert not (await replica.stream(session)).wanted
    old = stopped(session)
    await replica.again(session)
    await replica.parts.streams._stop(old)
    await replica.work()
    assert (await replica.stream(session)).wanted
    assert len(replica.engine.begun) == 1


async def test_starting_and_stopping_at_the_same_time_leaves_nothing_behind(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    for _ in range(10):
        wanted = (await replica.again(session)).model_copy()
        other = Replica(like=replica)
        events = [SessionUpdated(session=wanted), SessionUpdated(session=stopped(wanted))]
        await asyncio.gather(replica.follow(events[0]), other.follow(events[1]))
        replica.owner.sessions[session.id] = events[1].session
    await replica.work(30)
    assert not (await replica.stream(session)).wanted
    assert [one for one in await replica.planned(session) if one.wanted and not one.over] == []


async def test_a_lost_stop_is_repaired(replica: Replica) -> None:
    session = await replica.go_live()
    await replica.work()
    await replica.active()
    state = stopped(replica.owner.sessions[session.id])
    replica.owner.sessions[session.id] = state
    await replica.reconciler.sessions.follow(SessionUpdated(session=state))
    await replica.go_round(30)
    await replica.work()
    assert replica.engine.stopped == ["EG_0000"]
    assert ("stream", "no stream wanted", "stream still wanted") in await replica.repaired()
