"""Recordings from their start to their stored file, and what becomes of both."""

import pytest

from services.egress.egresses.domain import START_TIMEOUT
from services.egress.recordings.housekeeping import CleanupResult
from services.egress.recordings.repository import RecordingFilter
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import RecordingStatus, Role, SessionStatus, StreamStatus, UserRole
from shared.egress.engine import EgressStatus
from shared.egress.keys import key_of
from shared.errors import Conflict, Forbidden, NotFound
from shared.http.idempotency import Reservation
from shared.http.schema import Page
from shared.ids import new_id
from shared.persistence.mongo import Duplicate
from tests.metric_samples import grows, sample
from tests.unit.egress.reconciler.builders import state
from tests.unit.egress.streams.fixture import Replica, host_of

MINUTE = 60


@pytest.fixture
async def replica() -> Replica:
    replica = Replica()
    await replica.ensure_indexes()
    return replica


async def test_a_recording_by_hand_ends_as_a_stored_file(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    await replica.work()
    [order] = replica.engine.begun
    assert (order.key, order.segments_prefix) == (key_of(recording.id), None)
    assert order.file_key == f"recordings/{session.id}/{order.key}.mp4"
    await replica.active()
    await replica.parts.recordings.stop(session.id, host_of(session))
    await replica.work()
    assert replica.engine.stopped == ["EG_0000"]
    await replica.complete("EG_0000")
    done = await replica.recordings.get(recording.id)
    assert (done.status, done.duration, done.file_size) == (RecordingStatus.COMPLETED, 12, 4)
    assert done.active_session_id is None
    told = [event.recording for event in await replica.recording_events()]
    assert [one.status.value for one in told] == ["recording", "recording", "recording", "completed"]
    assert [one.stop_requested_at is None for one in told] == [True, True, False, False]


async def test_only_one_runs_at_a_time(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    first = await replica.record(session)
    with pytest.raises(Conflict) as refused:
        await replica.record(session)
    assert refused.value.code == "recording_active"
    active = await replica.parts.recordings.active(session.id, host_of(session))
    assert active is not None
    assert active.id == first.id


async def test_the_same_call_again_is_the_same_recording(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    reservation = Reservation.fresh()
    first = await replica.parts.recordings.start(reservation, session.id, host_of(session))
    repeated = Reservation(reservation.id, repeated=True)
    assert await replica.parts.recordings.start(repeated, session.id, host_of(session)) == first
    await replica.work()
    assert len(replica.engine.begun) == 1


async def test_only_a_live_session_is_recorded(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    await replica.end(session)
    with pytest.raises(Conflict) as refused:
        await replica.record(session)
    assert refused.value.code == "session_not_live"


async def test_a_session_that_is_live_before_events_tell_is_recorded(replica: Replica) -> None:
    session = state()
    scheduled = session.model_copy(update={"version": 1, "status": SessionStatus.SCHEDULED})
    await replica.follow(SessionUpdated(session=scheduled))
    replica.owner.sessions[session.id] = session
    assert (await replica.record(session)).status is RecordingStatus.RECORDING


async def test_a_session_that_ended_before_events_tell_is_not_recorded(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    ended = session.model_copy(update={"version": 9, "status": SessionStatus.ENDED})
    replica.owner.sessions[session.id] = ended
    with pytest.raises(Conflict):
        await replica.record(session)


async def test_what_events_told_is_enough_while_the_owner_is_away(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    replica.owner.away = True
    assert (await replica.record(session)).status is RecordingStatus.RECORDING


async def test_one_of_an_unknown_session_that_does_not_start_is_given_up(
    replica: Replica,
) -> None:
    replica.owner.away = True
    session = state()
    await replica.parts.egresses.plan(key_of(new_id()), session.id, stream=False, file=True)
    replica.clock.advance(seconds=START_TIMEOUT.total_seconds())
    await replica.work()
    [egress] = await replica.planned(session)
    assert egress.status is EgressStatus.ABORTED


async def test_a_stream_with_a_recording_is_one_egress(replica: Replica) -> None:
    session = await replica.go_live(record=True)
    await replica.work()
    [order] = replica.engine.begun
    assert order.segments_prefix is not None
    assert order.file_key is not None
    await replica.active()
    active = await replica.parts.recordings.active(session.id, host_of(session))
    assert active is not None
    assert (key_of(active.id), active.egress_id) == (order.key, "EG_0000")
    await replica.end(session)
    await replica.work()
    await replica.complete("EG_0000")
    assert (await replica.recordings.get(active.id)).status is RecordingStatus.COMPLETED
    assert (await replica.stream(session)).status is StreamStatus.ENDED


async def test_a_stop_is_told_once_with_its_time(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    await replica.work()
    before = len(await replica.recording_events())
    asked = replica.clock.now()
    for _ in range(2):
        await replica.parts.recordings.stop(session.id, host_of(session))
    (told,) = (await replica.recording_events())[before:]
    assert (told.recording.stop_requested_at, told.recording.status) == (asked, RecordingStatus.RECORDING)
    assert (await replica.recordings.get(recording.id)).stop_requested_at == asked


async def test_a_stream_goes_on_when_its_recording_is_stopped(replica: Replica) -> None:
    session = await replica.go_live(record=True)
    await replica.work()
    await replica.active()
    stopped = await replica.parts.recordings.stop(session.id, host_of(session))
    await replica.work()
    assert replica.engine.stopped == ["EG_0000"]
    assert (replica.engine.begun[1].segments_prefix is None, replica.engine.begun[1].file_key) == (
        False,
        None,
    )
    await replica.complete("EG_0000")
    await replica.active("EG_0001")
    assert (await replica.recordings.get(stopped.id)).status is RecordingStatus.COMPLETED
    assert (await replica.stream(session)).status is StreamStatus.ACTIVE


async def test_a_recording_that_is_wanted_later_leaves_the_stream_alone(replica: Replica) -> None:
    session = await replica.go_live()
    await replica.work()
    await replica.active()
    for _ in range(3):
        session = await replica.again(session, record=True)
    await replica.work()
    assert replica.engine.stopped == []
    assert [(one.segments_prefix is not None, one.file_key is not None) for one in replica.engine.begun] == [
        (True, False),
        (False, True),
    ]
    recording = await replica.recordings.active(session.id)
    assert recording is not None
    assert (await replica.stream(session)).recording_key is None
    await replica.parts.recordings.stop(session.id, host_of(session))
    await replica.work()
    assert replica.engine.stopped == ["EG_0001"]
    await replica.complete("EG_0001")
    await replica.again(session, record=True)
    await replica.work()
    assert len(replica.engine.begun) == 2, "it was stopped by hand"
    await replica.end(session)
    await replica.work()
    assert replica.engine.stopped == ["EG_0001", "EG_0000"]


async def test_a_recording_that_is_wanted_later_may_be_there_already(replica: Replica) -> None:
    session = await replica.go_live()
    await replica.work()
    await replica.record(session)
    await replica.again(session, record=True)
    await replica.work()
    assert len(replica.engine.begun) == 2
    assert (await replica.stream(session)).recording_key is None


async def test_who_records_by_hand_gets_no_second_file_with_the_stream(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    wish = session.stream.model_copy(update={"record": True})
    replica.owner.sessions[session.id] = session.model_copy(update={"stream": wish})
    await replica.again(session)
    await replica.work()
    assert [(one.stream, one.file) for one in await replica.planned(session)] == [
        (False, True),
        (True, False),
    ]
    assert (await replica.recordings.active(session.id) or recording).id == recording.id


NOTHING_CAME = "Nothing was recorded: it ended before any media came"


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        (EgressStatus.FAILED, "The storage is full", "The storage is full; part 2 goes on"),
        (EgressStatus.ABORTED, "Start signal not received", NOTHING_CAME),
        (EgressStatus.COMPLETE, None, "The file is not in the storage"),
    ],
)
async def test_without_a_file_it_has_failed(
    replica: Replica, status: EgressStatus, error: str | None, told: str
) -> None:
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    await replica.work()
    await replica.ended(status=status, error=error)
    failed = await replica.recordings.get(recording.id)
    assert (failed.status, failed.error, failed.file_size) == (RecordingStatus.FAILED, told, None)


async def test_what_is_missing_is_stated(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    await replica.work()
    await replica.storage.put(recording.file_key, b"moov")
    await replica.ended(details="3.2 s are missing in 1 place")
    done = await replica.recordings.get(recording.id)
    assert (done.status, done.error) == (RecordingStatus.COMPLETED, "3.2 s are missing in 1 place")


async def test_a_recording_that_nobody_begins_is_given_up(replica: Replica) -> None:
    replica.engine.refuses = True
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    await replica.work(3 * MINUTE)
    failed = await replica.recordings.get(recording.id)
    assert (failed.status, failed.error) == (RecordingStatus.FAILED, "no such layout")


async def test_a_recording_can_be_tried_again(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    await replica.work()
    await replica.ended(status=EgressStatus.FAILED, error="The storage is full")
    again = await replica.parts.lifecycle.retry(recording.id)
    assert (again.status, again.retry_count, again.error) == ("recording", 1, None)
    assert replica.engine.remade == [recording.key]
    replica.engine.be("EG_0000", EgressStatus.ENDING)
    await replica.complete("EG_0000")
    done = await replica.recordings.get(recording.id)
    assert (done.status, done.retry_count) == (RecordingStatus.COMPLETED, 1)
    with pytest.raises(Conflict) as refused:
        await replica.parts.lifecycle.retry(recording.id)
    assert refused.value.code == "recording_not_failed"


async def test_a_file_that_came_late_is_found_when_it_is_tried_again(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    await replica.work()
    await replica.ended(status=EgressStatus.FAILED, error="The storage is unavailable")
    await replica.storage.put(recording.file_key, b"moov")
    assert (await replica.parts.lifecycle.retry(recording.id)).status == "completed"
    assert replica.engine.remade == []


async def test_a_file_that_nobody_believed_in_any_more_is_taken_all_the_same(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    await replica.work()
    await replica.active()
    await replica.end(session)
    await replica.work(2 * MINUTE)
    failed = await replica.recordings.get(recording.id)
    assert (failed.status, failed.error) == (
        RecordingStatus.FAILED,
        "It does not end: its worker seems to be dead",
    )
    await replica.complete("EG_0000")
    done = await replica.recordings.get(recording.id)
    assert (done.status, done.error, done.duration) == (RecordingStatus.COMPLETED, None, 12)


async def completed(replica: Replica, size: int = 4) -> str:
    """The id of a recording with a file."""
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    await replica.work()
    await replica.complete(f"EG_{len(replica.engine.begun) - 1:04d}", b"x" * size)
    await replica.end(session)
    return recording.id


async def test_deleting_takes_the_file_and_its_picture(replica: Replica) -> None:
    id_ = await completed(replica)
    recording = await replica.recordings.get(id_)
    session = replica.owner.sessions[recording.session_id]
    await replica.parts.recordings.delete(id_, host_of(session))
    assert [one.key async for one in replica.storage.list("recordings")] == []
    with pytest.raises(NotFound):
        await replica.recordings.get(id_)
    assert (await replica.recording_events())[-1].name == "recording.deleted.v1"


async def test_deleting_a_failed_one_takes_what_is_left_of_it(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    await replica.work()
    path = f"hls-private/{session.id}/{recording.key}/1/000000.ts"
    await replica.segment(session, recording.key, 0, path=path)
    await replica.ended(status=EgressStatus.FAILED, error="The storage is full")
    await replica.parts.recordings.delete(recording.id, host_of(session))
    assert [one.key async for one in replica.storage.list("hls-private")] == []
    assert await replica.segments.of(recording.key) == []


async def test_what_runs_is_not_deleted(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    with pytest.raises(Conflict) as refused:
        await replica.parts.recordings.delete(recording.id, host_of(session))
    assert refused.value.code == "recording_active"


async def test_a_cleanup_takes_what_is_old(replica: Replica) -> None:
    await completed(replica, 10)
    status = await replica.parts.housekeeping.status()
    assert (status.recording_count, status.reclaimable_bytes, status.storage_type) == (1, 0, "memory")
    replica.clock.advance(days=40)
    clean = replica.parts.housekeeping.clean
    assert await clean(None, dry_run=False) == CleanupResult(
        deleted_recordings=0, freed_bytes=0, dry_run=False
    )
    assert await clean(30, dry_run=True) == CleanupResult(deleted_recordings=1, freed_bytes=10, dry_run=True)
    assert (await clean(30, dry_run=False)).freed_bytes == 10
    assert (await replica.parts.housekeeping.status()).recording_count == 0


async def test_a_cleanup_by_quota_takes_the_oldest(replica: Replica) -> None:
    limited = Replica(replica, recordings_quota_bytes=25)
    for _ in range(3):
        await completed(replica, 10)
    assert (await limited.parts.housekeeping.status()).reclaimable_bytes == 10
    cleaned = await limited.parts.housekeeping.clean(None, dry_run=True)
    assert (cleaned.deleted_recordings, cleaned.freed_bytes) == (1, 10)


async def test_the_sweep_finds_rows_without_file_and_files_without_row(replica: Replica) -> None:
    lost = await replica.recordings.get(await completed(replica))
    kept = await replica.recordings.get(await completed(replica))
    await replica.storage.delete([lost.file_key])
    stray = f"recordings/{new_id()}/{key_of(new_id())}.mp4"
    await replica.storage.put(stray, b"stray")
    replica.clock.advance(days=365 * 10)
    swept = await replica.parts.orphans.sweep()
    assert (swept.rows, swept.files) == (1, 1)
    assert (await replica.recordings.get(lost.id)).error == "The file is gone from the storage"
    assert (await replica.recordings.get(kept.id)).status is RecordingStatus.COMPLETED
    assert await replica.storage.head(kept.file_key) is not None
    assert await replica.storage.head(stray) is None


async def test_young_files_are_left_alone(replica: Replica) -> None:
    stray = f"recordings/{new_id()}/{key_of(new_id())}.mp4"
    await replica.storage.put(stray, b"stray")
    stored = await replica.storage.head(stray)
    assert stored is not None
    replica.clock.advance(seconds=(stored.modified - replica.clock.now()).total_seconds() + 5 * MINUTE)
    assert (await replica.parts.orphans.sweep()).files == 0


async def test_a_recording_without_an_egress_is_settled(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    await replica.egresses.discard(recording.key)
    replica.clock.advance(minutes=20)
    await replica.go_round(10)
    assert await replica.repaired() == [("recording", "recording", "no egress planned")]
    failed = await replica.recordings.get(recording.id)
    assert (failed.status, failed.error) == (RecordingStatus.FAILED, "It was never begun")


async def test_recordings_are_their_hosts(replica: Replica) -> None:
    id_ = await completed(replica)
    recording = await replica.recordings.get(id_)
    session = replica.owner.sessions[recording.session_id]
    service = replica.parts.recordings
    colleague = host_of(session, user_id=new_id())
    outsider = host_of(session, user_id=new_id(), organization_id=new_id())
    viewer = host_of(session, user_id=new_id(), role=UserRole.VIEWER, organization_id=None)
    key = host_of(session, user_id=new_id(), api_key_id=new_id())
    assert (await service.get(id_, host_of(session))).id == id_
    assert (await service.get(id_, key)).id == id_
    assert (await service.list_mine(key, RecordingFilter(), skip=0, limit=10))[1] == 1
    assert (await service.list_mine(key, RecordingFilter(), own=True, skip=0, limit=10))[1] == 0
    own_key = host_of(session, api_key_id=new_id())
    assert (await service.list_mine(own_key, RecordingFilter(), own=True, skip=0, limit=10))[1] == 1
    assert (await service.list_mine(colleague, RecordingFilter(), skip=0, limit=10))[1] == 0
    with pytest.raises(Forbidden, match="host"):
        await service.get(id_, colleague)
    with pytest.raises(NotFound):
        await service.get(id_, outsider)
    with pytest.raises(Forbidden):
        await service.get(id_, viewer)
    with pytest.raises(NotFound):
        await service.list_of_session(session.id, outsider, Page())


async def test_a_co_host_records(replica: Replica) -> None:
    helper = new_id()
    session = await replica.go_live(stream=False, roles={helper: Role.CO_HOST})
    caller = host_of(session, user_id=helper, role=UserRole.VIEWER, organization_id=None)
    made = await replica.parts.recordings.start(Reservation.fresh(), session.id, caller)
    assert made.status == "recording"


async def test_the_store_itself_allows_no_second_active_one(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    recording.id = new_id()
    with pytest.raises(Duplicate):
        await replica.recordings.add(recording, [])


async def test_recordings_are_counted_by_what_became_of_them(replica: Replica) -> None:
    finished = "greenroom_recordings_finished_total"
    session = await replica.go_live(stream=False)
    recording = await replica.record(session)
    await replica.work()
    await replica.active()
    await replica.recordings.report_states()
    assert sample("greenroom_recordings", status="recording") == 1
    with grows(finished, status="completed"), grows("greenroom_recording_finish_seconds_count"):
        await replica.parts.recordings.stop(session.id, host_of(session))
        await replica.work()
        await replica.complete("EG_0000")
        await replica.work(5)
    await replica.recordings.report_states()
    assert sample("greenroom_recordings", status="recording") == 0
    assert sample("greenroom_recordings", status="completed") == 1
    assert (await replica.recordings.get(recording.id)).completed


async def test_a_recording_that_never_started_counts_as_failed(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    replica.engine.refuses = True
    await replica.record(session)
    await replica.work()
    with grows("greenroom_recordings_finished_total", status="failed"):
        replica.clock.advance(seconds=START_TIMEOUT.total_seconds())
        await replica.work(5)
