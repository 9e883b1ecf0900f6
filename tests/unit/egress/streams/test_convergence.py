"""What is planned is what runs: never twice, never overtaken, whatever the engine says or does not say."""

import asyncio

import pytest

from shared.contracts.livekit_events import EgressEnded
from shared.contracts.session_events import SessionStarted, SessionUpdated
from shared.contracts.states import Layout, Quality, RoomOptions, StreamStatus, VideoFit
from shared.egress.engine import EgressStatus
from shared.ids import new_id
from tests.unit.egress.reconciler.builders import PRESET
from tests.unit.egress.streams.fakes import START_EXPIRES_AFTER
from tests.unit.egress.streams.fixture import Replica, host_of

SETTLED = START_EXPIRES_AFTER.total_seconds()


@pytest.fixture
async def replica() -> Replica:
    replica = Replica()
    await replica.ensure_indexes()
    return replica


async def test_a_session_that_wants_a_stream_gets_one(replica: Replica) -> None:
    session = await replica.go_live()
    await replica.work()
    [order] = replica.engine.begun
    assert (order.session_id, order.file_key) == (session.id, None)
    assert order.segments_prefix == f"hls/{session.id}/{order.key}"
    assert (await replica.stream(session)).status is StreamStatus.STARTING
    await replica.active()
    assert (await replica.stream(session)).status is StreamStatus.ACTIVE


@pytest.mark.parametrize("fit", list(VideoFit))
async def test_cameras_are_shown_as_the_preset_says(replica: Replica, fit: VideoFit) -> None:
    session = await replica.go_live(preset=PRESET.model_copy(update={"grid_video_fit": fit}))
    await replica.work()
    await replica.again(session, record=True)
    await replica.work()
    assert [order.encoding.video_fit for order in replica.engine.begun] == [fit, fit]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (RoomOptions(), (Layout.SPEAKER, 640, 360, 25, 800)),
        (RoomOptions(layout=Layout.GRID, fps=20), (Layout.GRID, 640, 360, 20, 800)),
        (RoomOptions(quality=Quality.HD), (Layout.SPEAKER, 1280, 720, 25, 3000)),
        (
            RoomOptions(layout=Layout.SINGLE_SPEAKER, fps=30, quality=Quality.FULL_HD),
            (Layout.SINGLE_SPEAKER, 1920, 1080, 30, 4500),
        ),
    ],
)
async def test_pictures_are_as_the_room_asks(
    options: RoomOptions, expected: tuple[Layout, int, int, int, int]
) -> None:
    replica = Replica(
        stream_layout="speaker",
        stream_width=640,
        stream_height=360,
        stream_frame_rate=25,
        stream_video_kbps=800,
    )
    await replica.ensure_indexes()
    session = await replica.go_live(options=options)
    await replica.work()
    await replica.again(session, record=True)
    await replica.work()
    for order in replica.engine.begun:
        given = order.encoding
        assert (given.layout, given.width, given.height, given.frame_rate, given.video_kbps) == expected
    assert len(replica.engine.begun) == 2
    health = await replica.parts.health.of(session.id, host_of(session), None)
    assert (health.encoding.width, health.encoding.frame_rate) == (expected[1], expected[3])


async def test_a_session_that_wants_none_gets_none(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    await replica.work(5)
    assert replica.engine.asked == []
    assert await replica.streams.find(session.id) is None


async def test_a_hundred_wishes_start_one_egress(replica: Replica) -> None:
    session = await replica.go_live()
    for _ in range(100):
        await replica.again(session)
        await replica.work()
    await replica.work(20)
    assert len(replica.engine.asked) == 1


async def test_a_hundred_wishes_at_the_same_time_start_one_egress(replica: Replica) -> None:
    session = await replica.go_live()
    newest = replica.owner.sessions[session.id]
    states = [
        newest.model_copy(
            update={
                "version": newest.version + n,
                "stream": newest.stream.model_copy(update={"attempt": n + 1}),
            }
        )
        for n in range(20)
    ]
    await asyncio.gather(*(replica.follow(SessionUpdated(session=one)) for one in states))
    await asyncio.gather(*(replica.parts.worker.run_once() for _ in range(20)))
    await replica.work(20)
    assert len(replica.engine.asked) == 1


async def test_an_engine_without_a_worker_is_not_asked_twice_while_it_may_begin(
    replica: Replica,
) -> None:
    replica.engine.loses = 1000
    session = await replica.go_live()
    for _ in range(100):
        await replica.again(session)
    await replica.work(SETTLED - 1)
    assert len(replica.engine.asked) == 1
    stream = await replica.stream(session)
    assert (stream.status, stream.error) == (StreamStatus.STARTING, "no answer, and nothing was begun")
    replica.engine.loses = 0
    await replica.work(SETTLED)
    assert len(replica.engine.begun) == 1
    assert (await replica.stream(session)).error is None


async def test_a_start_that_happened_without_an_answer_is_found(replica: Replica) -> None:
    replica.engine.hides = 1
    session = await replica.go_live()
    await replica.work(3)
    [egress] = await replica.planned(session)
    assert (egress.egress_id, egress.error) == ("EG_0000", None)
    await replica.work(2 * SETTLED)
    assert len(replica.engine.asked) == 1


async def test_a_start_that_did_not_happen_is_tried_again_once_that_is_sure(replica: Replica) -> None:
    replica.engine.loses = 1
    session = await replica.go_live()
    await replica.work(SETTLED + 35)
    assert (len(replica.engine.asked), len(replica.engine.begun)) == (2, 1)
    assert [one.egress_id for one in await replica.planned(session)] == ["EG_0000"]


async def test_while_there_is_no_worker_it_is_tried_often(replica: Replica) -> None:
    """A worker that comes is found soon, however long there was none."""
    replica.engine.loses = 1000
    await replica.go_live()
    await replica.work(16)
    assert len(replica.engine.asked) == 2
    await replica.work(200)
    replica.engine.loses = 0
    await replica.work(24)
    assert len(replica.engine.begun) == 1


async def test_one_that_came_up_late_twice_is_left_alone_and_the_other_stopped(replica: Replica) -> None:
    replica.engine.loses = 1
    await replica.go_live()
    await replica.work(SETTLED + 35)
    late = replica.engine.begin(replica.engine.begun[0])
    await replica.work(15)
    assert set(replica.engine.stopped) == {late}


async def test_a_refusal_is_told_and_tried_again_later(replica: Replica) -> None:
    replica.engine.refuses = True
    session = await replica.go_live()
    await replica.work()
    assert (await replica.stream(session)).error == "no such layout"
    replica.engine.refuses = False
    await replica.work(3)
    assert len(replica.engine.begun) == 1


async def test_a_stop_while_the_start_is_in_flight_follows_it(replica: Replica) -> None:
    replica.engine.go.clear()
    session = await replica.go_live()
    starting = asyncio.create_task(replica.parts.worker.run_once())
    await replica.engine.reached.wait()
    await replica.end(session)
    await replica.parts.worker.run_once()  # Another worker's turn: the egress is in hand.
    assert replica.engine.stopped == []
    replica.engine.go.set()
    await starting
    await replica.work()
    assert replica.engine.stopped == ["EG_0000"]
    assert replica.engine.running == []


async def test_a_stop_after_a_start_without_an_answer_stops_what_came_of_it(replica: Replica) -> None:
    replica.engine.hides = 1
    session = await replica.go_live()
    await replica.work()
    await replica.end(session)
    await replica.work(5)
    assert replica.engine.stopped[0] == "EG_0000"


async def test_what_was_never_begun_needs_no_stop(replica: Replica) -> None:
    session = await replica.go_live()
    await replica.end(session)
    await replica.work(5)
    assert replica.engine.asked == []
    assert (await replica.stream(session)).status is StreamStatus.ENDED


async def test_late_news_of_a_session_starts_nothing(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    await replica.end(session)
    wish = session.stream.model_copy(update={"wanted": True, "attempt": 1})
    await replica.parts.streams.follow(SessionStarted(session=session.model_copy(update={"stream": wish})))
    await replica.work(5)
    assert replica.engine.asked == []


async def test_an_engine_that_is_away_is_waited_for(replica: Replica) -> None:
    replica.engine.away = True
    session = await replica.go_live()
    await replica.work(SETTLED * 2)
    assert len(replica.engine.asked) == 1, "without an answer to what became of the first, there is no second"
    replica.engine.away = False
    await replica.work(SETTLED)
    assert len(replica.engine.begun) == 1
    replica.engine.away = True
    await replica.end(session)
    await replica.work(10)
    replica.engine.away = False
    await replica.work(31)
    assert replica.engine.stopped[0] == "EG_0000"


async def test_a_stop_is_repeated_and_then_given_up(replica: Replica) -> None:
    session = await replica.go_live()
    await replica.work()
    await replica.active()
    await replica.end(session)
    await replica.work(30)
    assert 3 <= len(replica.engine.stopped) <= 10
    await replica.work(70)
    [egress] = await replica.planned(session)
    assert (egress.status, egress.error) == (
        EgressStatus.FAILED,
        "It does not end: its worker seems to be dead",
    )
    assert (await replica.stream(session)).status is StreamStatus.ENDED


async def test_one_that_ended_by_itself_is_replaced_when_it_is_asked_for_again(replica: Replica) -> None:
    session = await replica.go_live()
    await replica.work()
    await replica.active()
    await replica.ended(status=EgressStatus.LIMIT_REACHED, error="Session limit reached")
    await replica.work(60)
    stream = await replica.stream(session)
    assert (stream.status, stream.error) == (StreamStatus.FAILED, "Session limit reached")
    await replica.again(session)
    await replica.work()
    assert [one.egress_id for one in await replica.planned(session)] == ["EG_0000", "EG_0001"]
    assert (await replica.stream(session)).status is StreamStatus.STARTING


async def test_lost_webhooks_are_made_up_for_and_written_down(replica: Replica) -> None:
    session = await replica.go_live()
    await replica.work()
    replica.engine.be("EG_0000", EgressStatus.ACTIVE)
    await replica.work(13)
    assert (await replica.stream(session)).status is StreamStatus.ACTIVE
    replica.engine.be("EG_0000", EgressStatus.FAILED, "disk full")
    await replica.work(13)
    assert (await replica.planned(session))[0].error == "disk full"
    entries, _ = await replica.reconciler.ledger.list_newest()
    assert [(one.kind, one.believed, one.observed) for one in entries] == [
        ("egress", "egress active", "failed"),
        ("egress", "egress starting", "active"),
    ]


async def test_an_egress_that_the_engine_lost_is_replaced(replica: Replica) -> None:
    session = await replica.go_live()
    await replica.work()
    await replica.active()
    replica.engine.egresses.clear()
    await replica.work(11)
    assert (await replica.stream(session)).status is StreamStatus.ACTIVE, (
        "it may only be missing for a moment"
    )
    await replica.work(11)
    lost, other = await replica.planned(session)
    assert (lost.status, lost.error) == (EgressStatus.FAILED, "The engine lost it")
    stream = await replica.stream(session)
    assert (stream.current and stream.current.key, stream.status) == (other.id, StreamStatus.STARTING)


async def test_what_is_told_of_it_in_another_room_is_not_about_it(replica: Replica) -> None:
    session = await replica.go_live()
    await replica.work()
    seen = await replica.active()
    elsewhere = EgressEnded(
        session_id=new_id(), egress_id=seen.egress_id, status="complete", occurred_at=replica.clock.now()
    )
    await replica.parts.egresses.follow(elsewhere)
    await replica.parts.egresses.follow(elsewhere.model_copy(update={"egress_key": seen.key}))
    [egress] = await replica.planned(session)
    assert egress.status is EgressStatus.ACTIVE


async def test_two_workers_share_one_plan(replica: Replica) -> None:
    other = Replica(replica)
    sessions = [await replica.go_live() for _ in range(5)]
    await asyncio.gather(*(one.parts.worker.run_once() for one in (replica, other, replica, other)))
    await replica.work(5)
    assert sorted(order.session_id for order in replica.engine.begun) == sorted(one.id for one in sessions)
