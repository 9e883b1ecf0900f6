"""Recordings from their start to their stored file, and what becomes of both."""

import pytest

from services.egress.recordings.housekeeping import CleanupResult
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import RecordingStatus, Role, SessionStatus, StreamStatus, UserRole
from shared.egress.engine import EgressStatus
from shared.egress.keys import key_of
from shared.errors import Conflict, Forbidden, NotFound
from shared.http.idempotency import Reservation
from shared.http.schema import Page
from shared.ids import new_id
from shared.persistence.mongo import Duplicate
from tests.unit.egress.reconciler.builders import state
from tests.unit.egress.streams.house import House, host_of

MINUTE = 60


@pytest.fixture
async def house() -> House:
    house = House()
    await house.ensure_indexes()
    return house


async def test_a_recording_by_hand_ends_as_a_stored_file(house: House) -> None:
    session = await house.go_live(stream=False)
    recording = await house.record(session)
    await house.work()
    [order] = house.engine.begun
    assert (order.key, order.segments_prefix) == (key_of(recording.id), None)
    assert order.file_key == f"recordings/{session.id}/{order.key}.mp4"
    await house.active()
    await house.parts.recordings.stop(session.id, host_of(session))
    await house.work()
    assert house.engine.stopped == ["EG_0000"]
    await house.complete("EG_0000")
    done = await house.recordings.get(recording.id)
    assert (done.status, done.duration, done.file_size) == (RecordingStatus.COMPLETED, 12, 4)
    assert done.active_session_id is None
    told = [event.recording for event in await house.recording_events()]
    assert [one.status.value for one in told] == ["recording", "recording", "recording", "completed"]
    assert [one.stop_requested_at is None for one in told] == [True, True, False, False]


async def test_only_one_runs_at_a_time(house: House) -> None:
    session = await house.go_live(stream=False)
    first = await house.record(session)
    with pytest.raises(Conflict) as refused:
        await house.record(session)
    assert refused.value.code == "recording_active"
    active = await house.parts.recordings.active(session.id, host_of(session))
    assert active is not None
    assert active.id == first.id


async def test_the_same_call_again_is_the_same_recording(house: House) -> None:
    session = await house.go_live(stream=False)
    reservation = Reservation.fresh()
    first = await house.parts.recordings.start(reservation, session.id, host_of(session))
    repeated = Reservation(reservation.id, repeated=True)
    assert await house.parts.recordings.start(repeated, session.id, host_of(session)) == first
    await house.work()
    assert len(house.engine.begun) == 1


async def test_only_a_live_session_is_recorded(house: House) -> None:
    session = await house.go_live(stream=False)
    await house.end(session)
    with pytest.raises(Conflict) as refused:
        await house.record(session)
    assert refused.value.code == "session_not_live"


async def test_a_session_that_is_live_before_events_tell_is_recorded(house: House) -> None:
    session = state()
    scheduled = session.model_copy(update={"version": 1, "status": SessionStatus.SCHEDULED})
    await house.follow(SessionUpdated(session=scheduled))
    house.owner.sessions[session.id] = session
    assert (await house.record(session)).status is RecordingStatus.RECORDING


async def test_a_session_that_ended_before_events_tell_is_not_recorded(house: House) -> None:
    session = await house.go_live(stream=False)
    ended = session.model_copy(update={"version": 9, "status": SessionStatus.ENDED})
    house.owner.sessions[session.id] = ended
    with pytest.raises(Conflict):
        await house.record(session)


async def test_what_events_told_is_enough_while_the_owner_is_away(house: House) -> None:
    session = await house.go_live(stream=False)
    house.owner.away = True
    assert (await house.record(session)).status is RecordingStatus.RECORDING


async def test_a_stream_with_a_recording_is_one_egress(house: House) -> None:
    session = await house.go_live(record=True)
    await house.work()
    [order] = house.engine.begun
    assert order.segments_prefix is not None
    assert order.file_key is not None
    await house.active()
    active = await house.parts.recordings.active(session.id, host_of(session))
    assert active is not None
    assert (key_of(active.id), active.egress_id) == (order.key, "EG_0000")
    await house.end(session)
    await house.work()
    await house.complete("EG_0000")
    assert (await house.recordings.get(active.id)).status is RecordingStatus.COMPLETED
    assert (await house.stream(session)).status is StreamStatus.ENDED


async def test_a_stop_is_told_once_with_its_time(house: House) -> None:
    session = await house.go_live(stream=False)
    recording = await house.record(session)
    await house.work()
    before = len(await house.recording_events())
    asked = house.clock.now()
    for _ in range(2):
        await house.parts.recordings.stop(session.id, host_of(session))
    (told,) = (await house.recording_events())[before:]
    assert (told.recording.stop_requested_at, told.recording.status) == (asked, RecordingStatus.RECORDING)
    assert (await house.recordings.get(recording.id)).stop_requested_at == asked


async def test_a_stream_goes_on_when_its_recording_is_stopped(house: House) -> None:
    session = await house.go_live(record=True)
    await house.work()
    await house.active()
    stopped = await house.parts.recordings.stop(session.id, host_of(session))
    await house.work()
    assert house.engine.stopped == ["EG_0000"]
    assert (house.engine.begun[1].segments_prefix is None, house.engine.begun[1].file_key) == (False, None)
    await house.complete("EG_0000")
    await house.active("EG_0001")
    assert (await house.recordings.get(stopped.id)).status is RecordingStatus.COMPLETED
    assert (await house.stream(session)).status is StreamStatus.ACTIVE


async def test_a_recording_that_is_wanted_later_leaves_the_stream_alone(house: House) -> None:
    session = await house.go_live()
    await house.work()
    await house.active()
    for _ in range(3):
        session = await house.again(session, record=True)
    await house.work()
    assert house.engine.stopped == []
    assert [(one.segments_prefix is not None, one.file_key is not None) for one in house.engine.begun] == [
        (True, False),
        (False, True),
    ]
    recording = await house.recordings.active(session.id)
    assert recording is not None
    assert (await house.stream(session)).recording_key is None
    await house.parts.recordings.stop(session.id, host_of(session))
    await house.work()
    assert house.engine.stopped == ["EG_0001"]
    await house.complete("EG_0001")
    await house.again(session, record=True)
    await house.work()
    assert len(house.engine.begun) == 2, "it was stopped by hand"
    await house.end(session)
    await house.work()
    assert house.engine.stopped == ["EG_0001", "EG_0000"]


async def test_a_recording_that_is_wanted_later_may_be_there_already(house: House) -> None:
    session = await house.go_live()
    await house.work()
    await house.record(session)
    await house.again(session, record=True)
    await house.work()
    assert len(house.engine.begun) == 2
    assert (await house.stream(session)).recording_key is None


async def test_who_records_by_hand_gets_no_second_file_with_the_stream(house: House) -> None:
    session = await house.go_live(stream=False)
    recording = await house.record(session)
    wish = session.stream.model_copy(update={"record": True})
    house.owner.sessions[session.id] = session.model_copy(update={"stream": wish})
    await house.again(session)
    await house.work()
    assert [(one.stream, one.file) for one in await house.planned(session)] == [(False, True), (True, False)]
    assert (await house.recordings.active(session.id) or recording).id == recording.id


NOTHING_CAME = "Nothing was recorded: it ended before any media came"


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        (EgressStatus.FAILED, "The storage is full", "The storage is full"),
        (EgressStatus.ABORTED, "Start signal not received", NOTHING_CAME),
        (EgressStatus.COMPLETE, None, "The file is not in the storage"),
    ],
)
async def test_without_a_file_it_has_failed(
    house: House, status: EgressStatus, error: str | None, told: str
) -> None:
    session = await house.go_live(stream=False)
    recording = await house.record(session)
    await house.work()
    await house.ended(status=status, error=error)
    failed = await house.recordings.get(recording.id)
    assert (failed.status, failed.error, failed.file_size) == (RecordingStatus.FAILED, told, None)


async def test_what_is_missing_is_stated(house: House) -> None:
    session = await house.go_live(stream=False)
    recording = await house.record(session)
    await house.work()
    await house.storage.put(recording.file_key, b"moov")
    await house.ended(details="3.2 s are missing in 1 place")
    done = await house.recordings.get(recording.id)
    assert (done.status, done.error) == (RecordingStatus.COMPLETED, "3.2 s are missing in 1 place")


async def test_a_recording_that_nobody_begins_is_given_up(house: House) -> None:
    house.engine.refuses = True
    session = await house.go_live(stream=False)
    recording = await house.record(session)
    await house.work(3 * MINUTE)
    failed = await house.recordings.get(recording.id)
    assert (failed.status, failed.error) == (RecordingStatus.FAILED, "no such layout")


async def test_a_recording_can_be_tried_again(house: House) -> None:
    session = await house.go_live(stream=False)
    recording = await house.record(session)
    await house.work()
    await house.ended(status=EgressStatus.FAILED, error="The storage is full")
    again = await house.parts.lifecycle.retry(recording.id)
    assert (again.status, again.retry_count, again.error) == ("recording", 1, None)
    assert house.engine.remade == [recording.key]
    house.engine.be("EG_0000", EgressStatus.ENDING)
    await house.complete("EG_0000")
    done = await house.recordings.get(recording.id)
    assert (done.status, done.retry_count) == (RecordingStatus.COMPLETED, 1)
    with pytest.raises(Conflict) as refused:
        await house.parts.lifecycle.retry(recording.id)
    assert refused.value.code == "recording_not_failed"


async def test_a_file_that_came_late_is_found_when_it_is_tried_again(house: House) -> None:
    session = await house.go_live(stream=False)
    recording = await house.record(session)
    await house.work()
    await house.ended(status=EgressStatus.FAILED, error="The storage is unavailable")
    await house.storage.put(recording.file_key, b"moov")
    assert (await house.parts.lifecycle.retry(recording.id)).status == "completed"
    assert house.engine.remade == []


async def test_a_file_that_nobody_believed_in_any_more_is_taken_all_the_same(house: House) -> None:
    session = await house.go_live(stream=False)
    recording = await house.record(session)
    await house.work()
    await house.active()
    await house.end(session)
    await house.work(2 * MINUTE)
    failed = await house.recordings.get(recording.id)
    assert (failed.status, failed.error) == (
        RecordingStatus.FAILED,
        "It does not end: its worker seems to be dead",
    )
    await house.complete("EG_0000")
    done = await house.recordings.get(recording.id)
    assert (done.status, done.error, done.duration) == (RecordingStatus.COMPLETED, None, 12)


async def completed(house: House, size: int = 4) -> str:
    """The id of a recording with a file."""
    session = await house.go_live(stream=False)
    recording = await house.record(session)
    await house.work()
    await house.complete(f"EG_{len(house.engine.begun) - 1:04d}", b"x" * size)
    await house.end(session)
    return recording.id


async def test_deleting_takes_the_file_and_its_picture(house: House) -> None:
    id_ = await completed(house)
    recording = await house.recordings.get(id_)
    session = house.owner.sessions[recording.session_id]
    await house.parts.recordings.delete(id_, host_of(session))
    assert [one.key async for one in house.storage.list("recordings")] == []
    with pytest.raises(NotFound):
        await house.recordings.get(id_)
    assert (await house.recording_events())[-1].name == "recording.deleted.v1"


async def test_deleting_a_failed_one_takes_what_is_left_of_it(house: House) -> None:
    session = await house.go_live(stream=False)
    recording = await house.record(session)
    await house.work()
    path = f"hls-private/{session.id}/{recording.key}/1/000000.ts"
    await house.segment(session, recording.key, 0, path=path)
    await house.ended(status=EgressStatus.FAILED, error="The storage is full")
    await house.parts.recordings.delete(recording.id, host_of(session))
    assert [one.key async for one in house.storage.list("hls-private")] == []
    assert await house.segments.of(recording.key) == []


async def test_what_runs_is_not_deleted(house: House) -> None:
    session = await house.go_live(stream=False)
    recording = await house.record(session)
    with pytest.raises(Conflict) as refused:
        await house.parts.recordings.delete(recording.id, host_of(session))
    assert refused.value.code == "recording_active"


async def test_a_cleanup_takes_what_is_old(house: House) -> None:
    await completed(house, 10)
    status = await house.parts.housekeeping.status()
    assert (status.recording_count, status.reclaimable_bytes, status.storage_type) == (1, 0, "memory")
    house.clock.advance(days=40)
    clean = house.parts.housekeeping.clean
    assert await clean(None, dry_run=False) == CleanupResult(
        deleted_recordings=0, freed_bytes=0, dry_run=False
    )
    assert await clean(30, dry_run=True) == CleanupResult(deleted_recordings=1, freed_bytes=10, dry_run=True)
    assert (await clean(30, dry_run=False)).freed_bytes == 10
    assert (await house.parts.housekeeping.status()).recording_count == 0


async def test_a_cleanup_by_quota_takes_the_oldest(house: House) -> None:
    limited = House(house, recordings_quota_bytes=25)
    for _ in range(3):
        await completed(house, 10)
    assert (await limited.parts.housekeeping.status()).reclaimable_bytes == 10
    cleaned = await limited.parts.housekeeping.clean(None, dry_run=True)
    assert (cleaned.deleted_recordings, cleaned.freed_bytes) == (1, 10)


async def test_the_sweep_finds_rows_without_file_and_files_without_row(house: House) -> None:
    lost = await house.recordings.get(await completed(house))
    kept = await house.recordings.get(await completed(house))
    await house.storage.delete([lost.file_key])
    stray = f"recordings/{new_id()}/{key_of(new_id())}.mp4"
    await house.storage.put(stray, b"stray")
    house.clock.advance(days=365 * 10)
    swept = await house.parts.orphans.sweep()
    assert (swept.rows, swept.files) == (1, 1)
    assert (await house.recordings.get(lost.id)).error == "The file is gone from the storage"
    assert (await house.recordings.get(kept.id)).status is RecordingStatus.COMPLETED
    assert await house.storage.head(kept.file_key) is not None
    assert await house.storage.head(stray) is None


async def test_young_files_are_left_alone(house: House) -> None:
    stray = f"recordings/{new_id()}/{key_of(new_id())}.mp4"
    await house.storage.put(stray, b"stray")
    stored = await house.storage.head(stray)
    assert stored is not None
    house.clock.advance(seconds=(stored.modified - house.clock.now()).total_seconds() + 5 * MINUTE)
    assert (await house.parts.orphans.sweep()).files == 0


async def test_a_recording_without_an_egress_is_settled(house: House) -> None:
    session = await house.go_live(stream=False)
    recording = await house.record(session)
    await house.egresses.discard(recording.key)
    house.clock.advance(minutes=20)
    await house.go_round(10)
    assert await house.repaired() == [("recording", "recording", "no egress planned")]
    failed = await house.recordings.get(recording.id)
    assert (failed.status, failed.error) == (RecordingStatus.FAILED, "It was never begun")


async def test_recordings_are_their_hosts(house: House) -> None:
    id_ = await completed(house)
    recording = await house.recordings.get(id_)
    session = house.owner.sessions[recording.session_id]
    service, page = house.parts.recordings, Page()
    colleague = host_of(session, user_id=new_id())
    outsider = host_of(session, user_id=new_id(), organization_id=new_id())
    viewer = host_of(session, user_id=new_id(), role=UserRole.VIEWER, organization_id=None)
    key = host_of(session, user_id=new_id(), api_key_id=new_id())
    assert (await service.get(id_, host_of(session))).id == id_
    assert (await service.get(id_, key)).id == id_
    assert (await service.list_mine(key, page))[1] == 1
    assert (await service.list_mine(colleague, page))[1] == 0
    with pytest.raises(Forbidden, match="host"):
        await service.get(id_, colleague)
    with pytest.raises(NotFound):
        await service.get(id_, outsider)
    with pytest.raises(Forbidden):
        await service.get(id_, viewer)
    with pytest.raises(NotFound):
        await service.list_of_session(session.id, outsider, page)


async def test_a_co_host_records(house: House) -> None:
    helper = new_id()
    session = await house.go_live(stream=False, roles={helper: Role.CO_HOST})
    caller = host_of(session, user_id=helper, role=UserRole.VIEWER, organization_id=None)
    made = await house.parts.recordings.start(Reservation.fresh(), session.id, caller)
    assert made.status == "recording"


async def test_the_store_itself_allows_no_second_active_one(house: House) -> None:
    session = await house.go_live(stream=False)
    recording = await house.record(session)
    recording.id = new_id()
    with pytest.raises(Duplicate):
        await house.recordings.add(recording, [])
