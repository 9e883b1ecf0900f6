"""Streams, recordings and egresses of whose fate no event told, brought to the truth and written down."""

from collections.abc import Callable, Sequence

import pytest

from services.egress.sessions.service import KnownSession
from services.egress.streams.domain import StreamPart
from shared.contracts.event import Event
from shared.contracts.session_events import SessionEnded
from shared.contracts.states import RecordingStatus, SessionState, SessionStatus, StreamStatus, StreamWish
from shared.egress.engine import EgressInfo, EgressStatus
from shared.ids import new_id
from tests.unit.egress.streams.house import House, key_for


@pytest.fixture
async def house() -> House:
    house = House()
    await house.ensure_indexes()
    return house


@pytest.fixture
async def session(house: House) -> SessionState:
    """Live, with a stream that runs."""
    session = await house.go_live()
    await house.work()
    await house.active()
    return session


async def over(house: House, session: SessionState) -> None:
    """It ends, and only the projection of sessions hears of it."""
    newest = house.owner.sessions[session.id]
    update = {"version": newest.version + 1, "status": SessionStatus.ENDED}
    ended = newest.model_copy(update=update)
    house.owner.sessions[session.id] = ended
    await house.reconciler.sessions.follow(SessionEnded(session=ended))


def as_if(**fields: object) -> Callable[[object], Sequence[Event]]:
    """A change that tells nobody."""

    def change(one: object) -> Sequence[Event]:
        for name, value in fields.items():
            setattr(one, name, value)
        return []

    return change


def engine_has(house: House, session: SessionState, key: str | None, status: EgressStatus) -> str:
    """The engine has an egress more."""
    egress_id = f"EG_{new_id()}"
    house.engine.egresses[egress_id] = EgressInfo(
        egress_id=egress_id,
        session_id=session.id,
        key=key,
        status=status,
        error=None,
        started_at=house.clock.now(),
        ended_at=None,
    )
    return egress_id


async def test_what_is_right_is_left_alone(house: House, session: SessionState) -> None:
    recorded = await house.go_live(record=True)
    await house.work()
    await house.active("EG_0001")
    await house.go_round(200)
    assert await house.repaired() == []
    assert house.engine.stopped == []
    for one in (session, recorded):
        await house.end(one)
    await house.work()
    await house.go_round(20)
    for number in range(2):
        await house.complete(f"EG_000{number}")
    await house.go_round(200)
    assert await house.repaired() == []


async def test_an_egress_that_nobody_planned_is_stopped(house: House, session: SessionState) -> None:
    others = [engine_has(house, session, key, EgressStatus.ACTIVE) for key in (None, "a" * 32)]
    await house.go_round(8)
    assert house.engine.stopped == [], "the news of its plan may be on its way"
    await house.go_round(4)
    assert sorted(house.engine.stopped) == sorted(others)
    for egress_id in others:
        house.engine.be(egress_id, EgressStatus.ENDING)
    await house.go_round(60)
    assert sorted(await house.repaired()) == sorted(
        ("egress_leftover", "not planned", f"egress {egress_id} active") for egress_id in others
    )
    assert len(house.engine.stopped) == 2


async def test_in_rooms_of_others_nothing_is_stopped(house: House, session: SessionState) -> None:
    stranger = session.model_copy(update={"id": new_id()})
    engine_has(house, stranger, None, EgressStatus.ACTIVE)
    engine_has(house, session.model_copy(update={"id": "lobby"}), None, EgressStatus.ACTIVE)
    await house.go_round(60)
    assert house.engine.stopped == []


async def test_one_that_was_given_up_and_goes_on_is_stopped(house: House, session: SessionState) -> None:
    lost = house.engine.egresses.pop("EG_0000")
    await house.work(25)
    assert (await house.stream(session)).status is StreamStatus.FAILED
    house.engine.egresses["EG_0000"] = lost
    await house.go_round(12)
    assert house.engine.stopped == ["EG_0000"]
    kinds = [kind for kind, _, _ in await house.repaired()]
    assert kinds == ["egress", "egress_leftover"]


async def test_a_stop_that_does_not_come_through_is_tried_again(house: House, session: SessionState) -> None:
    egress_id = engine_has(house, session, None, EgressStatus.ACTIVE)
    await house.go_round(8)
    house.engine.away = True
    await house.go_round(20)
    assert await house.repaired() == []
    house.engine.away = False
    await house.go_round(4)
    assert house.engine.stopped == [egress_id]


async def test_what_outlives_its_session_is_stopped(house: House) -> None:
    session = await house.go_live(stream=False)
    recording = await house.record(session)
    await house.work()
    await house.active()
    await over(house, session)
    await house.go_round(12)
    assert await house.repaired() == [("egress_leftover", "session ended", "egress active")]
    await house.work()
    assert house.engine.stopped == ["EG_0000"]
    await house.complete("EG_0000")
    assert (await house.recordings.get(recording.id)).status is RecordingStatus.COMPLETED


async def test_the_owner_has_the_last_word(house: House, session: SessionState) -> None:
    live = house.owner.sessions[session.id]
    await over(house, session)
    house.owner.sessions[session.id] = live
    await house.go_round(60)
    assert (await house.stream(session)).wanted
    assert house.engine.stopped == []


async def test_a_stream_ends_with_its_session(house: House, session: SessionState) -> None:
    await over(house, session)
    await house.go_round(12)
    await house.work()
    assert (await house.stream(session)).status is StreamStatus.ENDING
    assert house.engine.stopped == ["EG_0000"]
    assert ("stream", "session over", "stream still wanted") in await house.repaired()


async def test_a_wish_that_nobody_heard_is_followed(house: House) -> None:
    session = await house.go_live(stream=False)
    wish = StreamWish(wanted=True, attempt=1)
    wishing = session.model_copy(update={"version": session.version + 1, "stream": wish})
    house.owner.sessions[session.id] = wishing
    await house.reconciler.sessions.save([KnownSession(wishing)])
    await house.go_round(12)
    assert await house.repaired() == [("stream", "stream wanted, attempt 1", "nobody began it")]
    await house.work()
    assert (await house.stream(session)).status is StreamStatus.STARTING
    assert len(house.engine.begun) == 1


async def test_a_stream_whose_egress_was_never_planned_gets_it(house: House, session: SessionState) -> None:
    part = StreamPart(key="b" * 32, file=False)
    await house.streams.change(session.id, as_if(parts=[part]))
    await house.go_round(12)
    assert ("stream", "stream active", "no egress planned") in await house.repaired()
    await house.work()
    assert house.engine.begun[-1].key == part.key


async def test_one_that_was_to_end_is_over_without_an_egress(house: House, session: SessionState) -> None:
    await house.end(session)
    await house.streams.change(session.id, as_if(parts=[StreamPart(key="b" * 32, file=False)]))
    await house.go_round(12)
    assert (await house.stream(session)).status is StreamStatus.ENDED


@pytest.mark.parametrize(
    ("status", "shown"),
    [(EgressStatus.COMPLETE, StreamStatus.FAILED), (EgressStatus.ENDING, StreamStatus.ENDING)],
)
async def test_a_stream_follows_its_egress_whose_news_were_lost(
    house: House, session: SessionState, status: EgressStatus, shown: StreamStatus
) -> None:
    [egress] = await house.planned(session)
    house.engine.be("EG_0000", status)
    await house.egresses.change(egress.id, as_if(status=status))
    await house.go_round(12)
    assert (await house.stream(session)).status is shown
    assert await house.repaired() == [("stream", "stream active", f"egress {status.value}")]


async def test_a_recording_follows_its_egress_whose_news_were_lost(house: House) -> None:
    session = await house.go_live(stream=False)
    recording = await house.record(session)
    await house.work()
    await house.storage.put(recording.file_key, b"moov")
    house.engine.be("EG_0000", EgressStatus.COMPLETE)
    house.clock.advance(minutes=20)
    await house.egresses.change(key_for(recording), as_if(status=EgressStatus.COMPLETE))
    await house.go_round(12)
    assert await house.repaired() == [("recording", "recording", "egress complete")]
    assert (await house.recordings.get(recording.id)).status is RecordingStatus.COMPLETED


async def test_times_that_the_engine_told_are_no_estimates(house: House, session: SessionState) -> None:
    house.engine.be("EG_0000", EgressStatus.FAILED, "disk full")
    await house.work(15)
    other = await house.go_live()
    await house.work()
    del house.engine.egresses["EG_0001"]
    await house.work(25)
    events = [one for one in await house.told() if one.name == "drift.repaired.v1"]
    assert [getattr(one, "estimated", None) for one in events] == [False, True]
    assert (await house.stream(other)).status is StreamStatus.FAILED


async def test_an_egress_that_does_not_end_is_given_up_and_written_down(
    house: House, session: SessionState
) -> None:
    await house.end(session)
    house.engine.be("EG_0000", EgressStatus.ENDING)
    await house.work(100)
    assert (await house.stream(session)).status is StreamStatus.ENDED
    assert ("egress", "egress ending", "ending") in await house.repaired()
