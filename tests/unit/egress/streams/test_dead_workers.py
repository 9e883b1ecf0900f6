"""LiveKit goes on listing an egress whose worker is dead; what it makes, and whether it answers, tells."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.egress.streams.schemas import StreamHealthResponse, stream_health_response
from shared.contracts.states import RecordingStatus, SessionState, StreamStatus
from shared.egress.engine import EgressStatus
from shared.egress.keys import file_key
from shared.errors import Unavailable
from tests.unit.egress.reconciler.builders import T0
from tests.unit.egress.streams.fixture import Replica, host_of

# Seconds within which a dead worker has to be noticed.
NOTICED = 15.0


@pytest.fixture
async def replica() -> Replica:
    replica = Replica(keeps_records=False)
    await replica.ensure_indexes()
    return replica


def playlist(segments: int) -> bytes:
    """As LiveKit Egress writes its live one after so many segments of 2 s: it names the last five."""
    first = max(0, segments - 5)
    lines = ["#EXTM3U", "#EXT-X-VERSION:4", "#EXT-X-TARGETDURATION:2", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
    for n in range(first, segments):
        time = T0 + timedelta(seconds=2 * n)
        lines += [
            f"#EXT-X-PROGRAM-DATE-TIME:{time:%Y-%m-%dT%H:%M:%S}Z",
            "#EXTINF:2.000,",
            f"segment_{n:05d}.ts",
        ]
    return ("\n".join(lines) + "\n").encode()


async def make(replica: Replica, segments: int, number: int = 0) -> None:
    """The egress has made so many segments."""
    prefix = str(replica.engine.begun[number].segments_prefix)
    await replica.storage.put(f"{prefix}/segment_{segments - 1:05d}.ts", b"." * 250_000)
    await replica.storage.put(f"{prefix}/live.m3u8", playlist(segments))


async def streaming(replica: Replica, *, record: bool = True, seconds: int = 10) -> SessionState:
    """A stream that runs well on LiveKit Egress."""
    session = await replica.go_live(record=record)
    await replica.work()
    await replica.active()
    for n in range(seconds // 2):
        await make(replica, n + 1)
        await replica.work(2)
    return session


async def health(replica: Replica, session: SessionState) -> StreamHealthResponse:
    return stream_health_response(await replica.parts.health.of(session.id, host_of(session), None))


async def test_a_dead_workers_stream_is_replaced_and_its_recording_goes_on(replica: Replica) -> None:
    session = await streaming(replica)
    replica.engine.dead.add("EG_0000")
    await replica.work(NOTICED)
    assert [order.key for order in replica.engine.begun] == [
        one.key for one in (await replica.stream(session)).parts
    ]
    assert [order.file_key is not None for order in replica.engine.begun] == [True, True]
    found = await health(replica, session)
    assert (found.status, found.egress.status) == ("unhealthy", "starting")
    assert found.egress.reasons[0] == "The stream broke off at 12:00:08 UTC: Its worker died"
    recordings = {one.part: one for one in await replica.recordings.list_where({"session_id": session.id})}
    assert (recordings[1].status, recordings[2].status) == (RecordingStatus.FAILED, RecordingStatus.RECORDING)
    assert recordings[1].error == "Its worker died: what it had recorded is lost; part 2 goes on"
    assert recordings[2].continues == recordings[1].id
    assert recordings[2].name == recordings[1].name + " (part 2)"


async def test_the_part_that_goes_on_states_the_gap(replica: Replica) -> None:
    session = await streaming(replica)
    replica.engine.dead.add("EG_0000")
    await replica.work(NOTICED)
    await replica.active("EG_0001")
    await make(replica, 1, number=1)
    await replica.work(2)
    assert (await replica.stream(session)).broke_off_at is None
    assert (await replica.stream(session)).status is StreamStatus.ACTIVE
    await replica.end(session)
    await replica.work(2)
    await replica.complete("EG_0001")
    recordings = {one.part: one for one in await replica.recordings.list_where({"session_id": session.id})}
    begun = replica.engine.egresses["EG_0001"].started_at
    assert begun is not None
    assert recordings[2].broke_off_at is not None
    gap = (begun - recordings[2].broke_off_at).total_seconds()
    assert 4 < gap < NOTICED
    assert recordings[2].error == f"{gap:.0f} s are missing before it: part 1 broke off"
    assert recordings[2].status is RecordingStatus.COMPLETED


async def test_a_recording_with_an_egress_of_its_own_goes_on_too(replica: Replica) -> None:
    """Nothing is seen of it in the storage before it is complete: its worker alone can tell."""
    session = await replica.go_live(stream=False)
    await replica.record(session)
    await replica.work()
    await replica.active()
    await replica.work(30)
    assert len(replica.engine.begun) == 1
    replica.engine.dead.add("EG_0000")
    await replica.work(NOTICED)
    assert [order.segments_prefix for order in replica.engine.begun] == [None, None]
    active = await replica.recordings.active(session.id)
    assert active is not None
    assert (active.part, active.key) == (2, replica.engine.begun[1].key)


async def test_each_part_may_die(replica: Replica) -> None:
    session = await streaming(replica)
    for number in (0, 1):
        replica.engine.dead.add(f"EG_{number:04d}")
        await replica.work(NOTICED)
        await replica.active(f"EG_{number + 1:04d}")
    active = await replica.recordings.active(session.id)
    assert active is not None
    assert (active.part, active.name.count("(part")) == (3, 1)
    assert len(replica.engine.begun) == 3


async def test_nothing_goes_on_with_what_was_to_end_anyway(replica: Replica) -> None:
    session = await streaming(replica)
    replica.engine.dead.add("EG_0000")
    await replica.end(session)
    await replica.work(60)
    assert len(replica.engine.begun) == 1
    [recording] = await replica.recordings.list_where({"session_id": session.id})
    assert recording.status is RecordingStatus.FAILED
    assert (await replica.stream(session)).status is StreamStatus.ENDED


async def test_what_grows_lives_although_nobody_answers(replica: Replica) -> None:
    """The main process of a worker died, and the one that records goes on."""
    await streaming(replica, seconds=4)
    replica.engine.dead.add("EG_0000")
    for n in range(2, 20):
        await make(replica, n + 1)
        await replica.work(2)
    assert len(replica.engine.begun) == 1


async def test_a_storage_that_shows_nothing_is_no_dead_worker(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await streaming(replica)

    async def away(key: str) -> None:
        raise Unavailable("The storage is unavailable")

    monkeypatch.setattr(replica.storage, "head", away)
    monkeypatch.setattr(replica.storage, "get", away)
    await replica.work(60)
    assert len(replica.engine.begun) == 1
    found = await health(replica, session)
    assert "The storage is unavailable: segments are not known" in found.egress.reasons


async def test_a_livekit_that_does_not_answer_is_no_dead_worker(replica: Replica) -> None:
    await streaming(replica)
    replica.engine.away = True
    await replica.work(60)
    replica.engine.away = False
    await replica.work(4)
    assert len(replica.engine.begun) == 1


async def test_records_that_are_lost_are_no_lost_egress(replica: Replica) -> None:
    """LiveKit's Redis was emptied; its worker goes on."""
    session = await streaming(replica, seconds=4)
    replica.engine.egresses.clear()
    for n in range(2, 20):
        await make(replica, n + 1)
        await replica.work(2)
    assert (await replica.stream(session)).status is StreamStatus.ACTIVE
    assert len(replica.engine.begun) == 1


async def test_a_stream_whose_records_are_lost_lives_by_its_playlist_alone(replica: Replica) -> None:
    """Chrome outlives its worker, and stays in the room."""
    session = await streaming(replica)
    replica.engine.present.add("EG_0000")
    replica.engine.egresses.clear()
    await replica.work(NOTICED)
    assert [order.key for order in replica.engine.begun] == [
        one.key for one in (await replica.stream(session)).parts
    ]
    assert len(replica.engine.begun) == 2


async def test_a_storage_that_shows_nothing_of_one_whose_records_are_lost_is_no_death(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    await streaming(replica)
    replica.engine.present.add("EG_0000")
    replica.engine.egresses.clear()

    async def away(key: str) -> None:
        raise Unavailable("The storage is unavailable")

    monkeypatch.setattr(replica.storage, "head", away)
    await replica.work(60)
    assert len(replica.engine.begun) == 1


@pytest.mark.parametrize("stopped", [False, True])
async def test_a_recording_whose_records_are_lost_lives_by_its_participant_until_it_is_stopped(
    replica: Replica, stopped: bool
) -> None:
    session = await replica.go_live(stream=False)
    await replica.record(session)
    await replica.work()
    await replica.active()
    replica.engine.present.add("EG_0000")
    replica.engine.egresses.clear()
    if stopped:
        await replica.parts.recordings.stop(session.id, host_of(session))
    await replica.work(120)
    assert (await replica.recordings.active(session.id) is None) is stopped
    assert len(replica.engine.begun) == 1


async def test_a_frozen_worker_that_wakes_is_stopped_and_what_it_made_is_kept(replica: Replica) -> None:
    session = await streaming(replica)
    replica.engine.dead.add("EG_0000")
    await replica.work(NOTICED)
    await replica.active("EG_0001")
    await replica.work(40)
    assert replica.engine.stopped == []
    replica.engine.dead.discard("EG_0000")
    await replica.work(31)
    assert set(replica.engine.stopped) == {"EG_0000"}
    assert ("egress_leftover", "not planned", "egress EG_0000 active, its worker was dead") in (
        await replica.repaired()
    )
    await replica.complete("EG_0000")
    recordings = {one.part: one for one in await replica.recordings.list_where({"session_id": session.id})}
    assert (recordings[1].status, recordings[1].error) == (RecordingStatus.COMPLETED, None)
    assert recordings[2].status is RecordingStatus.RECORDING
    stopped = len(replica.engine.stopped)
    await replica.work(60)
    assert len(replica.engine.stopped) == stopped


async def test_a_listed_egress_of_nobody_whose_worker_is_dead_is_left_alone(replica: Replica) -> None:
    session = await streaming(replica)
    foreign = replica.engine.begin(replica.engine.begun[0])
    replica.engine.egresses[foreign] = replace(replica.engine.be(foreign, EgressStatus.ACTIVE), key=None)
    replica.engine.dead.add(foreign)
    await replica.go_round(30)
    assert await replica.repaired() == []
    replica.engine.dead.discard(foreign)
    await replica.go_round(14)
    assert replica.engine.stopped == [foreign]
    assert (await replica.stream(session)).status is StreamStatus.ACTIVE


async def test_an_end_that_no_webhook_reported_ends_the_stopping(replica: Replica) -> None:
    await streaming(replica)
    replica.engine.dead.add("EG_0000")
    await replica.work(NOTICED)
    replica.engine.be("EG_0000", EgressStatus.COMPLETE)
    await replica.work(31)
    replica.engine.dead.discard("EG_0000")
    await replica.work(60)
    assert replica.engine.stopped == []


async def test_a_long_upload_is_no_death(replica: Replica) -> None:
    """Minutes after its end, while its worker answers."""
    session = await streaming(replica)
    await replica.end(session)
    await replica.work(1)
    replica.engine.be("EG_0000", EgressStatus.ENDING)
    await replica.work(120)
    [recording] = await replica.recordings.list_where({"session_id": session.id})
    assert recording.status is RecordingStatus.RECORDING
    await replica.complete("EG_0000", duration=11.8)
    [recording] = await replica.recordings.list_where({"session_id": session.id})
    assert (recording.status, recording.duration_seconds) == (RecordingStatus.COMPLETED, 11.8)
    assert [one.recording.status for one in await replica.recording_events()].count(
        RecordingStatus.FAILED
    ) == 0


async def test_a_worker_that_dies_while_it_uploads_is_noticed(replica: Replica) -> None:
    session = await streaming(replica)
    await replica.end(session)
    await replica.work(1)
    replica.engine.be("EG_0000", EgressStatus.ENDING)
    await replica.work(10)
    replica.engine.dead.add("EG_0000")
    await replica.work(45)
    [recording] = await replica.recordings.list_where({"session_id": session.id})
    assert recording.status is RecordingStatus.FAILED


async def test_segments_are_counted_by_the_playlist(replica: Replica) -> None:
    session = await streaming(replica, seconds=16)
    found = (await health(replica, session)).egress
    assert (found.segment_count, found.bitrate_kbps) == (8, 1000)
    assert found.last_segment_at == T0 + timedelta(seconds=14)
    assert found.last_segment_age == 0.0
    replica.clock.advance(seconds=1)
    assert (await health(replica, session)).egress.last_segment_age == 1.0


async def test_an_unfinished_file_of_a_dead_worker_is_no_recording(replica: Replica) -> None:
    session = await streaming(replica)
    [order] = replica.engine.begun
    await replica.storage.put(file_key(session.id, order.key), b"\0\0\0\x18ftypisom")
    replica.engine.dead.add("EG_0000")
    await replica.work(NOTICED)
    recordings = {one.part: one for one in await replica.recordings.list_where({"session_id": session.id})}
    assert recordings[1].status is RecordingStatus.FAILED
