"""Streams, recordings and egresses of whose fate no event told, brought to the truth and written down."""

from collections.abc import Callable, Sequence

import pytest

from services.egress.sessions.projection import KnownSession
from services.egress.streams.domain import StreamPart
from shared.contracts.event import Event
from shared.contracts.session_events import SessionEnded
from shared.contracts.states import RecordingStatus, SessionState, SessionStatus, StreamRequest, StreamStatus
from shared.egress.engine import EgressInfo, EgressStatus
from shared.ids import new_id
from tests.unit.egress.streams.fixture import Replica, key_for


@pytest.fixture
async def replica() -> Replica:
    replica = Replica()
    await replica.ensure_indexes()
    return replica


@pytest.fixture
async def session(replica: Replica) -> SessionState:
    """Live, with a stream that runs."""
    session = await replica.go_live()
    await replica.work()
    await replica.active()
    return session


async def over(replica: Replica, session: SessionState) -> None:
    """It ends, and only the projection of sessions hears of it."""
    newest = replica.owner.sessions[session.id]
    update = {"version": newest.version + 1, "status": SessionStatus.ENDED}
    ended = newest.model_copy(update=update)
    replica.owner.sessions[session.id] = ended
    await replica.reconciler.sessions.follow(SessionEnded(session=ended))


def as_if(**fields: object) -> Callable[[object], Sequence[Event]]:
    """A change that tells nobody."""

    def change(one: object) -> Sequence[Event]:
        for name, value in fields.items():
            setattr(one, name, value)
        return []

    return change


def engine_has(replica: Replica, session: SessionState, key: str | None, status: EgressStatus) -> str:
    """The engine has an egress more."""
    egress_id = f"EG_{new_id()}"
    replica.engine.egresses[egress_id] = EgressInfo(
        egress_id=egress_id,
        session_id=session.id,
        key=key,
        status=status,
        error=None,
        started_at=replica.clock.now(),
        ended_at=None,
    )
    return egress_id


async def test_what_is_right_is_left_alone(replica: Replica, session: SessionState) -> None:
    recorded = await replica.go_live(record=True)
    await replica.work()
    await replica.active("EG_0001")
    await replica.go_round(200)
    assert await replica.repaired() == []
    assert replica.engine.stopped == []
    for one in (session, recorded):
        await replica.end(one)
    await replica.work()
    await replica.go_round(20)
    for number in range(2):
        await replica.complete(f"EG_000{number}")
    await replica.go_round(200)
    assert await replica.repaired() == []


async def test_an_egress_that_nobody_planned_is_stopped(replica: Replica, session: SessionState) -> None:
    others = [engine_has(replica, session, key, EgressStatus.ACTIVE) for key in (None, "a" * 32)]
    await replica.go_round(8)
    assert replica.engine.stopped == [], "the news of its plan may be on its way"
    await replica.go_round(4)
    assert sorted(replica.engine.stopped) == sorted(others)
    for egress_id in others:
        replica.engine.be(egress_id, EgressStatus.ENDING)
    await replica.go_round(60)
    assert sorted(await replica.repaired()) == sorted(
        ("egress_leftover", "not planned", f"egress {egress_id} active") for egress_id in others
    )
    assert len(replica.engine.stopped) == 2


async def test_in_rooms_of_others_nothing_is_stopped(replica: Replica, session: SessionState) -> None:
    stranger = session.model_copy(update={"id": new_id()})
    engine_has(replica, stranger, None, EgressStatus.ACTIVE)
    engine_has(replica, session.model_copy(update={"id": "lobby"}), None, EgressStatus.ACTIVE)
    await replica.go_round(60)
    assert replica.engine.stopped == []


async def test_one_that_was_given_up_and_goes_on_is_stopped(replica: Replica, session: SessionState) -> None:
    lost = replica.engine.egresses.pop("EG_0000")
    await replica.work(25)
    assert [one.over for one in await replica.planned(session)] == [True, False]
    replica.engine.egresses["EG_0000"] = lost
    await replica.go_round(12)
    assert replica.engine.stopped == ["EG_0000"]
    kinds = [kind for kind, _, _ in await replica.repaired()]
    assert kinds == ["egress", "egress_leftover"]


async def test_a_stop_that_does_not_come_through_is_tried_again(
    replica: Replica, session: SessionState
) -> None:
    egress_id = engine_has(replica, session, None, EgressStatus.ACTIVE)
    await replica.go_round(8)
    replica.engine.away = True
    await replica.go_round(20)
    assert await replica.repaired() == []
    replica.engine.away = False
    await replica.go_round(4)
    assert replica.engine.stopped == [egress_id]


async def test_what_outlives_its_session_is_stopped(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    await replica.work()
    await replica.active()
    await over(replica, session)
    await replica.go_round(12)
    assert await replica.repaired() == [("egress_leftover", "session ended", "egress active")]
    await replica.work()
    assert replica.engine.stopped == ["EG_0000"]
    await replica.complete("EG_0000")
    assert (await replica.recordings.get(recording.id)).status is RecordingStatus.COMPLETED


async def test_the_owner_has_the_last_word(replica: Replica, session: SessionState) -> None:
    live = replica.owner.sessions[session.id]
    await over(replica, session)
    replica.owner.sessions[session.id] = live
    await replica.go_round(60)
    assert (await replica.stream(session)).wanted
    assert replica.engine.stopped == []


async def test_a_stream_ends_with_its_session(replica: Replica, session: SessionState) -> None:
    await over(replica, session)
    await replica.go_round(12)
    await replica.work()
    assert (await replica.stream(session)).status is StreamStatus.ENDING
    assert replica.engine.stopped == ["EG_0000"]
    assert ("stream", "session over", "stream still wanted") in await replica.repaired()


async def test_a_wish_that_nobody_heard_is_followed(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    wish = StreamRequest(wanted=True, attempt=1)
    wishing = session.model_copy(update={"version": session.version + 1, "stream": wish})
    replica.owner.sessions[session.id] = wishing
    await replica.reconciler.sessions.save([KnownSession(wishing)])
    await replica.go_round(12)
    assert await replica.repaired() == [("stream", "stream wanted, attempt 1", "nobody began it")]
    await replica.work()
    assert (await replica.stream(session)).status is StreamStatus.STARTING
    assert len(replica.engine.begun) == 1


async def test_a_stream_whose_egress_was_never_planned_gets_it(
    replica: Replica, session: SessionState
) -> None:
    part = StreamPart(key="b" * 32, file=False)
    await replica.streams.change(session.id, as_if(parts=[part]))
    await replica.go_round(12)
    assert ("stream", "stream active", "no egress planned") in await replica.repaired()
    await replica.work()
    assert replica.engine.begun[-1].key == part.key


async def test_one_that_was_to_end_is_over_without_an_egress(replica: Replica, session: SessionState) -> None:
    await replica.end(session)
    await replica.streams.change(session.id, as_if(parts=[StreamPart(key="b" * 32, file=False)]))
    await replica.go_round(12)
    assert (await replica.stream(session)).status is StreamStatus.ENDED


@pytest.mark.parametrize(
    ("status", "shown"),
    [(EgressStatus.COMPLETE, StreamStatus.FAILED), (EgressStatus.ENDING, StreamStatus.ENDING)],
)
async def test_a_stream_follows_its_egress_whose_news_were_lost(
    replica: Replica, session: SessionState, status: EgressStatus, shown: StreamStatus
) -> None:
    [egress] = await replica.planned(session)
    replica.engine.be("EG_0000", status)
    await replica.egresses.change(egress.id, as_if(status=status))
    await replica.go_round(12)
    assert (await replica.stream(session)).status is shown
    assert await replica.repaired() == [("stream", "stream active", f"egress {status.value}")]


async def test_a_recording_follows_its_egress_whose_news_were_lost(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    await replica.work()
    await replica.storage.put(recording.file_key, b"moov")
    replica.engine.be("EG_0000", EgressStatus.COMPLETE)
    replica.clock.advance(minutes=20)
    await replica.egresses.change(key_for(recording), as_if(status=EgressStatus.COMPLETE))
    await replica.go_round(12)
    assert await replica.repaired() == [("recording", "recording", "egress complete")]
    assert (await replica.recordings.get(recording.id)).status is RecordingStatus.COMPLETED


async def test_times_that_the_engine_told_are_no_estimates(replica: Replica, session: SessionState) -> None:
    replica.engine.be("EG_0000", EgressStatus.COMPLETE)
    await replica.work(15)
    other = await replica.go_live()
    await replica.work()
    del replica.engine.egresses["EG_0001"]
    await replica.work(25)
    events = [one for one in await replica.told() if one.name == "drift.repaired.v1"]
    assert [getattr(one, "estimated", None) for one in events] == [False, True]
    assert (await replica.planned(other))[0].status is EgressStatus.FAILED


async def test_an_egress_that_does_not_end_is_given_up_and_written_down(
    replica: Replica, session: SessionState
) -> None:
    await replica.end(session)
    replica.engine.be("EG_0000", EgressStatus.ENDING)
    await replica.work(100)
    assert (await replica.stream(session)).status is StreamStatus.ENDED
    assert ("egress", "egress ending", "ending") in await replica.repaired()
