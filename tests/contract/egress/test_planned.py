"""Egresses, streams and recordings on the database in memory and on the real one."""

import asyncio
from collections.abc import Sequence

import pytest

from deploy.local.stack import Stack
from shared.contracts.session_events import SessionEnded
from shared.contracts.states import RecordingStatus, SessionStatus, StreamStatus
from shared.egress.engine import EgressStatus
from shared.ids import new_id
from shared.persistence.mongo import Collection, Document, Mongo, Sort
from tests.query_plans import explain
from tests.unit.egress.streams.fixture import Replica, host_of


@pytest.fixture
async def replica(mongo: Mongo) -> Replica:
    replica = Replica(mongo=mongo)
    await replica.ensure_indexes()
    return replica


async def test_a_stream_with_a_recording_from_start_to_end(replica: Replica) -> None:
    session = await replica.go_live(record=True)
    await replica.work()
    await replica.active()
    [egress] = await replica.planned(session)
    for n in range(3):
        await replica.segment(session, egress.id, n)
    await replica.work(1)
    assert (await replica.stream(session)).hls_path == f"/hls/{session.id}/live.m3u8"
    await replica.end(session)
    await replica.work()
    await replica.complete("EG_0000")
    stream = await replica.stream(session)
    assert (stream.status, stream.hls_path) == (StreamStatus.ENDED, f"/hls/{session.id}/index.m3u8")
    (recording,), total = await replica.recordings.list_of_session(session.id, skip=0, limit=10)
    assert (recording.status, total) == (RecordingStatus.COMPLETED, 1)
    assert await replica.egresses.due(replica.clock.now(), 10) == []


async def test_many_workers_start_each_egress_once(replica: Replica) -> None:
    workers = [replica, Replica(replica), Replica(replica), Replica(replica)]
    sessions = [await replica.go_live() for _ in range(10)]
    await asyncio.gather(*(one.parts.worker.run_once() for one in workers for _ in range(3)))
    await replica.work(20)
    assert sorted(order.session_id for order in replica.engine.begun) == sorted(one.id for one in sessions)


async def test_wishes_at_the_same_time_start_one_egress(replica: Replica) -> None:
    session = await replica.go_live()
    await asyncio.gather(*(replica.again(session) for _ in range(20)))
    await replica.work(20)
    assert len(replica.engine.asked) == 1


async def test_two_who_start_a_recording_get_one(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    made = await asyncio.gather(*(replica.record(session) for _ in range(5)), return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in made) == 1
    await replica.work(20)
    assert len(replica.engine.begun) == 1


async def test_a_dead_egress_is_replaced(replica: Replica) -> None:
    session = await replica.go_live()
    await replica.work()
    await replica.ended(status=EgressStatus.FAILED, error="crashed")
    await replica.again(session)
    await replica.work()
    assert len(await replica.planned(session)) == 2


async def test_what_outlives_its_session_is_found(replica: Replica) -> None:
    session, other = await replica.go_live(record=True), await replica.go_live()
    await replica.work()
    newest = replica.owner.sessions[session.id]
    update = {"version": newest.version + 1, "status": SessionStatus.ENDED}
    replica.owner.sessions[session.id] = newest.model_copy(update=update)
    await replica.reconciler.sessions.follow(SessionEnded(session=replica.owner.sessions[session.id]))
    await replica.go_round(12)
    await replica.work()
    assert [replica.engine.egresses[one].session_id for one in replica.engine.stopped] == [session.id]
    assert {kind for kind, _, _ in await replica.repaired()} <= {"egress_leftover", "stream"}
    assert (await replica.stream(other)).wanted


@pytest.fixture
async def stored(stack: Stack, real_mongo: Mongo) -> Replica:
    """Fifty recordings of five sessions, on the real database."""
    replica = Replica(mongo=real_mongo)
    await replica.ensure_indexes()
    for _ in range(5):
        session = await replica.go_live(stream=False, host_id=new_id())
        for _ in range(10):
            recording = await replica.record(session)
            await replica.parts.recordings.stop(session.id, host_of(session))
            await replica.recordings.change(
                recording.id, lambda one: one.fail("nothing", replica.clock.now())
            )
    return replica


async def test_lists_are_served_by_indexes(stored: Replica) -> None:
    """The local server sorts what an index finds by itself: it reads all that matches, and no other."""
    (some,) = await stored.recordings.list_where({}, limit=1)
    now = stored.clock.now()
    reads: Sequence[tuple[Collection, Document, Sort]] = [
        (stored.recordings.collection, {"host_id": some.host_id}, [("_id", -1)]),
        (stored.recordings.collection, {"organization_id": some.organization_id}, [("_id", -1)]),
        (stored.recordings.collection, {"session_id": some.session_id}, [("_id", -1)]),
        (stored.recordings.collection, {"status": "completed", "_id": {"$gt": ""}}, [("_id", 1)]),
        (stored.recordings.collection, {"active_session_id": some.session_id}, []),
        (stored.egresses.collection, {"due_at": {"$lte": now}}, [("due_at", 1)]),
        (stored.egresses.collection, {"session_id": some.session_id}, []),
        (stored.streams.collection, {"remove_at": {"$lte": now}}, [("remove_at", 1)]),
        (stored.streams.collection, {"wanted": True}, []),
        (stored.streams.collection, {"status": "ending"}, []),
    ]
    for collection, query, sort in reads:
        plan = await explain(collection, query, sort=sort)
        assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"]), query
        assert plan["executionStats"]["totalDocsExamined"] <= len(await collection.find(query)), query
