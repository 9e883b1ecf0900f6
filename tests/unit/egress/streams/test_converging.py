"""What is planned is what runs: never twice, never overtaken, whatever the engine says or does not say."""

import asyncio

import pytest

from shared.contracts.livekit_events import EgressEnded
from shared.contracts.session_events import SessionStarted, SessionUpdated
from shared.contracts.states import StreamStatus
from shared.egress.engine import EgressStatus
from shared.ids import new_id
from tests.unit.egress.streams.engine import SETTLES_AFTER
from tests.unit.egress.streams.house import House

SETTLED = SETTLES_AFTER.total_seconds()


@pytest.fixture
async def house() -> House:
    house = House()
    await house.ensure_indexes()
    return house


async def test_a_session_that_wants_a_stream_gets_one(house: House) -> None:
    session = await house.go_live()
    await house.work()
    [order] = house.engine.begun
    assert (order.session_id, order.file_key) == (session.id, None)
    assert order.segments_prefix == f"hls/{session.id}/{order.key}"
    assert (await house.stream(session)).status is StreamStatus.STARTING
    await house.active()
    assert (await house.stream(session)).status is StreamStatus.ACTIVE


async def test_a_session_that_wants_none_gets_none(house: House) -> None:
    session = await house.go_live(stream=False)
    await house.work(5)
    assert house.engine.asked == []
    assert await house.streams.find(session.id) is None


async def test_a_hundred_wishes_start_one_egress(house: House) -> None:
    session = await house.go_live()
    for _ in range(100):
        await house.again(session)
        await house.work()
    await house.work(20)
    assert len(house.engine.asked) == 1


async def test_a_hundred_wishes_at_the_same_time_start_one_egress(house: House) -> None:
    session = await house.go_live()
    newest = house.owner.sessions[session.id]
    states = [
        newest.model_copy(
            update={
                "version": newest.version + n,
                "stream": newest.stream.model_copy(update={"attempt": n + 1}),
            }
        )
        for n in range(20)
    ]
    await asyncio.gather(*(house.follow(SessionUpdated(session=one)) for one in states))
    await asyncio.gather(*(house.parts.worker.work() for _ in range(20)))
    await house.work(20)
    assert len(house.engine.asked) == 1


async def test_an_engine_without_a_worker_is_not_asked_twice_while_it_may_begin(
    house: House,
) -> None:
    house.engine.loses = 1000
    session = await house.go_live()
    for _ in range(100):
        await house.again(session)
    await house.work(SETTLED - 1)
    assert len(house.engine.asked) == 1
    stream = await house.stream(session)
    assert (stream.status, stream.error) == (StreamStatus.STARTING, "no answer, and nothing was begun")
    house.engine.loses = 0
    await house.work(SETTLED)
    assert len(house.engine.begun) == 1
    assert (await house.stream(session)).error is None


async def test_a_start_that_happened_without_an_answer_is_found(house: House) -> None:
    house.engine.hides = 1
    session = await house.go_live()
    await house.work(3)
    [egress] = await house.planned(session)
    assert (egress.egress_id, egress.error) == ("EG_0000", None)
    await house.work(2 * SETTLED)
    assert len(house.engine.asked) == 1


async def test_a_start_that_did_not_happen_is_tried_again_once_that_is_sure(house: House) -> None:
    house.engine.loses = 1
    session = await house.go_live()
    await house.work(SETTLED + 35)
    assert (len(house.engine.asked), len(house.engine.begun)) == (2, 1)
    assert [one.egress_id for one in await house.planned(session)] == ["EG_0000"]


async def test_one_that_came_up_late_twice_is_left_alone_and_the_other_stopped(house: House) -> None:
    house.engine.loses = 1
    await house.go_live()
    await house.work(SETTLED + 35)
    late = house.engine.begin(house.engine.begun[0])
    await house.work(15)
    assert set(house.engine.stopped) == {late}


async def test_a_refusal_is_told_and_tried_again_later(house: House) -> None:
    house.engine.refuses = True
    session = await house.go_live()
    await house.work()
    assert (await house.stream(session)).error == "no such layout"
    house.engine.refuses = False
    await house.work(3)
    assert len(house.engine.begun) == 1


async def test_a_stop_while_the_start_is_in_flight_follows_it(house: House) -> None:
    house.engine.go.clear()
    session = await house.go_live()
    starting = asyncio.create_task(house.parts.worker.work())
    await house.engine.reached.wait()
    await house.end(session)
    await house.parts.worker.work()  # Another worker's turn: the egress is in hand.
    assert house.engine.stopped == []
    house.engine.go.set()
    await starting
    await house.work()
    assert house.engine.stopped == ["EG_0000"]
    assert house.engine.running == []


async def test_a_stop_after_a_start_without_an_answer_stops_what_came_of_it(house: House) -> None:
    house.engine.hides = 1
    session = await house.go_live()
    await house.work()
    await house.end(session)
    await house.work(5)
    assert house.engine.stopped[0] == "EG_0000"


async def test_what_was_never_begun_needs_no_stop(house: House) -> None:
    session = await house.go_live()
    await house.end(session)
    await house.work(5)
    assert house.engine.asked == []
    assert (await house.stream(session)).status is StreamStatus.ENDED


async def test_late_news_of_a_session_starts_nothing(house: House) -> None:
    session = await house.go_live(stream=False)
    await house.end(session)
    wish = session.stream.model_copy(update={"wanted": True, "attempt": 1})
    await house.parts.streams.follow(SessionStarted(session=session.model_copy(update={"stream": wish})))
    await house.work(5)
    assert house.engine.asked == []


async def test_an_engine_that_is_away_is_waited_for(house: House) -> None:
    house.engine.away = True
    session = await house.go_live()
    await house.work(SETTLED * 2)
    assert len(house.engine.asked) == 1, "without an answer to what became of the first, there is no second"
    house.engine.away = False
    await house.work(SETTLED)
    assert len(house.engine.begun) == 1
    house.engine.away = True
    await house.end(session)
    await house.work(10)
    house.engine.away = False
    await house.work(31)
    assert house.engine.stopped[0] == "EG_0000"


async def test_a_stop_is_repeated_and_then_given_up(house: House) -> None:
    session = await house.go_live()
    await house.work()
    await house.active()
    await house.end(session)
    await house.work(30)
    assert 3 <= len(house.engine.stopped) <= 10
    await house.work(70)
    [egress] = await house.planned(session)
    assert (egress.status, egress.error) == (
        EgressStatus.FAILED,
        "It does not end: its worker seems to be dead",
    )
    assert (await house.stream(session)).status is StreamStatus.ENDED


async def test_a_dead_egress_is_replaced_when_it_is_asked_for_again(house: House) -> None:
    session = await house.go_live()
    await house.work()
    await house.active()
    await house.ended(status=EgressStatus.FAILED, error="Encoder crashed")
    stream = await house.stream(session)
    assert (stream.status, stream.error) == (StreamStatus.FAILED, "Encoder crashed")
    await house.again(session)
    await house.work()
    assert [one.egress_id for one in await house.planned(session)] == ["EG_0000", "EG_0001"]
    assert (await house.stream(session)).status is StreamStatus.STARTING


async def test_lost_webhooks_are_made_up_for_and_written_down(house: House) -> None:
    session = await house.go_live()
    await house.work()
    house.engine.be("EG_0000", EgressStatus.ACTIVE)
    await house.work(13)
    assert (await house.stream(session)).status is StreamStatus.ACTIVE
    house.engine.be("EG_0000", EgressStatus.FAILED, "disk full")
    await house.work(13)
    assert (await house.stream(session)).error == "disk full"
    entries, _ = await house.reconciler.ledger.list_newest()
    assert [(one.kind, one.believed, one.observed) for one in entries] == [
        ("egress", "egress active", "failed"),
        ("egress", "egress starting", "active"),
    ]


async def test_an_egress_that_the_engine_lost_has_failed(house: House) -> None:
    session = await house.go_live()
    await house.work()
    await house.active()
    house.engine.egresses.clear()
    await house.work(11)
    assert (await house.stream(session)).status is StreamStatus.ACTIVE, "it may only be missing for a moment"
    await house.work(11)
    stream = await house.stream(session)
    assert (stream.status, stream.error) == (StreamStatus.FAILED, "The engine lost it")


async def test_what_is_told_of_it_in_another_room_is_not_about_it(house: House) -> None:
    session = await house.go_live()
    await house.work()
    seen = await house.active()
    elsewhere = EgressEnded(
        session_id=new_id(), egress_id=seen.egress_id, status="complete", occurred_at=house.clock.now()
    )
    await house.parts.egresses.follow(elsewhere)
    await house.parts.egresses.follow(elsewhere.model_copy(update={"egress_key": seen.key}))
    [egress] = await house.planned(session)
    assert egress.status is EgressStatus.ACTIVE


async def test_two_workers_share_one_plan(house: House) -> None:
    other = House(house)
    sessions = [await house.go_live() for _ in range(5)]
    await asyncio.gather(*(one.parts.worker.work() for one in (house, other, house, other)))
    await house.work(5)
    assert sorted(order.session_id for order in house.engine.begun) == sorted(one.id for one in sessions)
