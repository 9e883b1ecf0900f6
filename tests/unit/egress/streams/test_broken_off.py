"""What follows an egress that broke off: another, once, as long as it is wanted, and not in a hurry."""

import itertools
from datetime import datetime

import pytest

from services.egress.recordings.domain import Recording
from services.egress.streams.schemas import stream_health_response
from shared.contracts.livekit_events import EgressEnded, FileResult
from shared.contracts.states import RecordingStatus, SessionState, StreamStatus
from shared.egress.engine import EgressStatus
from shared.ids import new_id
from tests.metric_samples import grows, sample
from tests.unit.egress.streams.fixture import Replica, host_of

# Seconds within which a dead worker has to be noticed.
NOTICED = 15.0


@pytest.fixture
async def replica() -> Replica:
    replica = Replica(keeps_records=False)
    await replica.ensure_indexes()
    return replica


async def recorded(replica: Replica) -> tuple[SessionState, Recording]:
    """A session that is recorded by hand for a while, without a stream."""
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    await replica.work()
    await replica.active()
    await replica.work(10)
    return session, recording


async def parts(replica: Replica, session: SessionState) -> list[Recording]:
    found = await replica.recordings.list_where({"session_id": session.id})
    return sorted(found, key=lambda one: one.part)


async def test_a_part_that_was_deleted_does_not_come_back(replica: Replica) -> None:
    session, _ = await recorded(replica)
    replica.engine.dead.add("EG_0000")
    await replica.work(NOTICED)
    await replica.active("EG_0001")
    [_, second] = await parts(replica, session)
    await replica.parts.recordings.stop(session.id, host_of(session))
    await replica.work(2)
    await replica.complete("EG_0001")
    await replica.parts.recordings.delete(second.id, host_of(session))
    await replica.told()  # The events are published, and nothing is left of its row.
    assert await replica.recordings.collection.find({"_id": second.id}) == []
    await replica.work(120)
    assert [one.part for one in await parts(replica, session)] == [1]
    assert await replica.recordings.active(session.id) is None
    await replica.record(session)


async def test_a_first_part_that_was_deleted_does_not_keep_the_stream_from_going_on(
    replica: Replica,
) -> None:
    session = await replica.go_live(record=True)
    await replica.work()
    await replica.active()
    [recording] = await parts(replica, session)
    replica.engine.dead.add("EG_0000")
    await replica.recordings.change(recording.id, lambda one: one.fail("lost", replica.clock.now()))
    await replica.parts.recordings.delete(recording.id, host_of(session))
    await replica.work(40)
    stream = await replica.stream(session)
    assert [order.key for order in replica.engine.begun] == [one.key for one in stream.parts]
    assert [order.file_key is not None for order in replica.engine.begun] == [True, False]


async def test_nothing_is_looked_for_again_while_a_dead_egress_is_only_stopped(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, recording = await recorded(replica)
    replica.engine.dead.add("EG_0000")
    await replica.work(NOTICED)
    head, looked_for = replica.storage.head, []

    async def count(key: str) -> object:
        looked_for.append(key)
        return await head(key)

    monkeypatch.setattr(replica.storage, "head", count)
    await replica.work(120)
    assert recording.file_key not in looked_for


@pytest.mark.parametrize("retried", [False, True])
async def test_a_recording_that_was_stopped_does_not_go_on_by_itself(replica: Replica, retried: bool) -> None:
    """Its worker dies while it ends; the host tries, in vain, to have its file made again."""
    session, recording = await recorded(replica)
    replica.engine.be("EG_0000", EgressStatus.ENDING)
    await replica.parts.recordings.stop(session.id, host_of(session))
    replica.engine.dead.add("EG_0000")
    await replica.work(100)
    failed = await replica.recordings.get(recording.id)
    assert (failed.status, failed.continued_by) == (RecordingStatus.FAILED, None)
    if retried:
        with pytest.MonkeyPatch.context() as nothing_left:

            async def remake(key: str) -> bool:
                return False

            nothing_left.setattr(replica.engine, "remake", remake)
            await replica.parts.lifecycle.retry(recording.id)
    await replica.work(120)
    assert [one.part for one in await parts(replica, session)] == [1]
    assert len(replica.engine.begun) == 1


async def test_a_session_that_is_recorded_otherwise_is_not_recorded_again_later(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host was faster than the part that was to go on."""
    session, first = await recorded(replica)
    change = replica.parts.lifecycle._recordings.change

    async def meanwhile(id: str, decide: object) -> Recording:
        done = await change(id, decide)  # type: ignore[arg-type]
        if done.continued_by is not None and await replica.recordings.active(session.id) is None:
            await replica.record(session)
        return done

    monkeypatch.setattr(replica.parts.lifecycle._recordings, "change", meanwhile)
    replica.engine.dead.add("EG_0000")
    await replica.work(NOTICED)
    monkeypatch.undo()
    before = await replica.recordings.get(first.id)
    assert (before.continued_by, before.error) == (None, "Its worker died")
    await replica.parts.recordings.stop(session.id, host_of(session))
    await replica.work(2)
    await replica.complete("EG_0001")
    await replica.work(120)
    assert await replica.recordings.active(session.id) is None
    assert len(replica.engine.begun) == 2


async def test_a_recording_of_its_own_that_fails_goes_on(replica: Replica) -> None:
    session, _ = await recorded(replica)
    await replica.ended(status=EgressStatus.FAILED, error="signal: killed")
    await replica.work(2)
    first, second = await parts(replica, session)
    assert first.error == "signal: killed: what it had recorded is lost; part 2 goes on"
    assert (second.status, second.key) == (RecordingStatus.RECORDING, replica.engine.begun[1].key)


@pytest.mark.parametrize("stream", [True, False])
async def test_what_our_own_recorder_failed_to_record_goes_on_beside_a_retry(stream: bool) -> None:
    """Its segments are kept: the file of the first part is made while the second is recorded."""
    replica = Replica(keeps_records=True)
    await replica.ensure_indexes()
    session = await replica.go_live(stream=stream, record=stream)
    if not stream:
        await replica.record(session)
    await replica.work()
    await replica.ended(status=EgressStatus.FAILED, error="The disk is full")
    await replica.work(2)
    first, second = await parts(replica, session)
    assert (first.status, first.error) == (RecordingStatus.FAILED, "The disk is full; part 2 goes on")
    assert (second.status, second.continues) == (RecordingStatus.RECORDING, first.id)
    assert replica.engine.begun[1].file_key == second.file_key
    await replica.parts.lifecycle.retry(first.id)
    replica.engine.be("EG_0000", EgressStatus.ENDING)
    await replica.complete("EG_0000")
    await replica.work(2)
    first, second = await parts(replica, session)
    assert (first.status, first.error) == (RecordingStatus.COMPLETED, None)
    assert second.status is RecordingStatus.RECORDING


@pytest.mark.parametrize("lost", [True, False])
async def test_one_that_ends_here_does_not_say_that_another_goes_on(replica: Replica, lost: bool) -> None:
    _, recording = await recorded(replica)
    now = replica.clock.now()
    recording.fail("No template", now)
    recording.hand_over(new_id(), now, lost=lost)
    assert str(recording.error).endswith("; part 2 goes on")
    recording.end_here(now)
    assert recording.error == "No template"


async def fail_at_once(replica: Replica, seconds: float) -> list[datetime]:
    """For so long every egress fails as it begins; when each began."""
    begun: list[datetime] = []
    for _ in range(int(seconds * 2)):
        while len(begun) < len(replica.engine.begun):
            begun.append(replica.clock.now())
            await replica.ended(f"EG_{len(begun) - 1:04d}", EgressStatus.FAILED, "No template")
        await replica.work(0.5)
    return begun


async def test_a_stream_that_fails_at_once_is_tried_with_pauses(replica: Replica) -> None:
    session = await replica.go_live()
    await replica.work()
    begun = await fail_at_once(replica, 180)
    pauses = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(begun)]
    assert [round(pause) for pause in pauses[:6]] == [1, 2, 4, 8, 16, 30]
    shown = stream_health_response(await replica.parts.health.of(session.id, host_of(session), None))
    assert shown.status == "unhealthy"
    assert any(
        reason.startswith("The stream broke off at 12:00:00 UTC: No template")
        for reason in shown.egress.reasons
    )
    await replica.work(31)
    await replica.active(f"EG_{len(replica.engine.begun) - 1:04d}")
    assert (await replica.stream(session)).status is StreamStatus.ACTIVE


async def test_a_recording_that_fails_at_once_is_given_up(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    await replica.record(session)
    await replica.work()
    begun = await fail_at_once(replica, 300)
    assert len(begun) == len(await parts(replica, session)) == 6
    assert await replica.recordings.active(session.id) is None


async def test_a_session_that_ends_during_the_pause_begins_nothing(replica: Replica) -> None:
    session = await replica.go_live(record=True)
    await replica.work()
    await replica.ended(status=EgressStatus.FAILED, error="No template")
    await replica.end(session)
    await replica.work(60)
    assert len(replica.engine.begun) == 1
    assert (await replica.stream(session)).status is StreamStatus.ENDED
    assert {one.status for one in await parts(replica, session)} == {RecordingStatus.FAILED}


@pytest.mark.parametrize("status", [EgressStatus.STARTING, EgressStatus.ENDING])
async def test_one_whose_records_are_lost_before_or_after_it_ran_is_replaced(
    replica: Replica, status: EgressStatus
) -> None:
    session = await replica.go_live()
    await replica.work()
    replica.engine.be("EG_0000", status)
    await replica.work(4)
    replica.engine.egresses.clear()
    replica.engine.dead.add("EG_0000")
    await replica.work(NOTICED)
    stream = await replica.stream(session)
    assert [order.key for order in replica.engine.begun] == [one.key for one in stream.parts]
    assert len(stream.parts) == 2


async def test_a_listed_duplicate_whose_worker_is_dead_does_not_hide_another_death(replica: Replica) -> None:
    session = await replica.go_live()
    await replica.work()
    await replica.active()
    duplicate = replica.engine.begin(replica.engine.begun[0])
    replica.engine.dead.add(duplicate)
    await replica.work(10)
    replica.engine.dead.add("EG_0000")
    await replica.work(NOTICED)
    assert [one.died for one in await replica.planned(session)] == [True, False]


async def test_a_start_without_an_answer_is_found_beside_a_dead_duplicate(replica: Replica) -> None:
    replica.engine.hides = 1
    session = await replica.go_live()
    await replica.parts.worker.run_once()
    replica.clock.advance(seconds=1)
    replica.engine.dead.add(replica.engine.begin(replica.engine.begun[0]))
    await replica.work(5)
    assert [one.egress_id for one in await replica.planned(session)] == ["EG_0000"]


@pytest.mark.parametrize("known_by", ["key", "other_id"])
async def test_the_end_of_a_stopped_duplicate_says_nothing_of_the_egress(
    replica: Replica, known_by: str
) -> None:
    session, recording = await recorded(replica)
    other = EgressEnded(
        session_id=session.id,
        occurred_at=replica.clock.now(),
        egress_id=f"EG_{new_id()}",
        egress_key=recording.key if known_by == "key" else None,
        status="complete",
        details="End reason: stopped",
        files=(FileResult(filename=recording.file_key, size=1, duration=0.1),),
    )
    await replica.parts.egresses.follow(other)
    [egress] = await replica.planned(session)
    assert (egress.status, egress.made, egress.details) == (EgressStatus.ACTIVE, None, None)


async def test_what_breaks_off_and_is_taken_over_is_counted(replica: Replica) -> None:
    session = await replica.go_live()
    await replica.work()
    await replica.active()
    replica.engine.dead.add("EG_0000")
    with grows("greenroom_stream_failures_total"), grows("greenroom_stream_takeovers_total"):
        await replica.work(NOTICED)
    await replica.streams.report_states()
    assert sample("greenroom_streams", status="starting") == 1
    assert sample("greenroom_streams", status="failed") == 0
    assert (await replica.streams.get(session.id)).status is StreamStatus.STARTING
