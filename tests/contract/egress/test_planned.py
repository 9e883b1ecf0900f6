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
from tests.unit.egress.streams.house import House, host_of


@pytest.fixture
async def house(mongo: Mongo) -> House:
    house = House(mongo=mongo)
    await house.ensure_indexes()
    return house


async def test_a_stream_with_a_recording_from_start_to_end(house: House) -> None:
    session = await house.go_live(record=True)
    await house.work()
    await house.active()
    [egress] = await house.planned(session)
    for n in range(3):
        await house.segment(session, egress.id, n)
    await house.work(1)
    assert (await house.stream(session)).hls_path == f"/hls/{session.id}/live.m3u8"
    await house.end(session)
    await house.work()
    await house.complete("EG_0000")
    stream = await house.stream(session)
    assert (stream.status, stream.hls_path) == (StreamStatus.ENDED, f"/hls/{session.id}/index.m3u8")
    (recording,), total = await house.recordings.list_of_session(session.id, skip=0, limit=10)
    assert (recording.status, total) == (RecordingStatus.COMPLETED, 1)
    assert await house.egresses.due(house.clock.now(), 10) == []


async def test_many_workers_start_each_egress_once(house: House) -> None:
    workers = [house, House(house), House(house), House(house)]
    sessions = [await house.go_live() for _ in range(10)]
    await asyncio.gather(*(one.parts.worker.work() for one in workers for _ in range(3)))
    await house.work(20)
    assert sorted(order.session_id for order in house.engine.begun) == sorted(one.id for one in sessions)


async def test_wishes_at_the_same_time_start_one_egress(house: House) -> None:
    session = await house.go_live()
    await asyncio.gather(*(house.again(session) for _ in range(20)))
    await house.work(20)
    assert len(house.engine.asked) == 1


async def test_two_who_start_a_recording_get_one(house: House) -> None:
    session = await house.go_live(stream=False)
    made = await asyncio.gather(*(house.record(session) for _ in range(5)), return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in made) == 1
    await house.work(20)
    assert len(house.engine.begun) == 1


async def test_a_dead_egress_is_replaced(house: House) -> None:
    session = await house.go_live()
    await house.work()
    await house.ended(status=EgressStatus.FAILED, error="crashed")
    await house.again(session)
    await house.work()
    assert len(await house.planned(session)) == 2


async def test_what_outlives_its_session_is_found(house: House) -> None:
    session, other = await house.go_live(record=True), await house.go_live()
    await house.work()
    newest = house.owner.sessions[session.id]
    update = {"version": newest.version + 1, "status": SessionStatus.ENDED}
    house.owner.sessions[session.id] = newest.model_copy(update=update)
    await house.reconciler.sessions.follow(SessionEnded(session=house.owner.sessions[session.id]))
    await house.go_round(12)
    await house.work()
    assert [house.engine.egresses[one].session_id for one in house.engine.stopped] == [session.id]
    assert {kind for kind, _, _ in await house.repaired()} <= {"egress_leftover", "stream"}
    assert (await house.stream(other)).wanted


@pytest.fixture
async def stored(stack: Stack, real_mongo: Mongo) -> House:
    """Fifty recordings of five sessions, on the real database."""
    house = House(mongo=real_mongo)
    await house.ensure_indexes()
    for _ in range(5):
        session = await house.go_live(stream=False, host_id=new_id())
        for _ in range(10):
            recording = await house.record(session)
            await house.parts.recordings.stop(session.id, host_of(session))
            await house.recordings.change(recording.id, lambda one: one.fail("nothing", house.clock.now()))
    return house


async def test_lists_are_served_by_indexes(stored: House) -> None:
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
