"""How jobs end: with a file, with a reason, or in the hands of another recorder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from services.recorder.jobs.context import JobContext
from services.recorder.jobs.finalizer import Finalizer
from services.recorder.jobs.job_runner import JobRunner
from services.recorder.room.room_session import RoomAccess
from services.recorder.spool.spool import Spool
from services.recorder.spool.uploader import Uploader
from shared.egress.engine import EgressOrder, EgressStatus, EncodingOptions
from shared.egress.job_repository import JobRepository
from shared.egress.jobs import Gap, Job, job_of
from shared.egress.segments import Segment, SegmentRepository
from shared.files.storage import Storage, StorageFull
from shared.livekit import TokenMint, WebhookSigner
from shared.livekit.webhook_sender import WebhookSender
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_livekit import FakeLiveKit
from tests.fakes.memory_mongo import memory_mongo
from tests.unit.recorder.test_files import film

KEY, SESSION = "0" * 32, "0190a1b2-0000-7000-8000-000000000001"
SECRET = "a secret that is long enough for HS256"
DEADLINE = 20.0


class Full(Storage):
    """Has no room for files, only for what is small."""

    async def put(self, key: str, content: bytes | Path) -> None:
        if key.endswith(".mp4"):
            raise StorageFull("The storage is full")
        await super().put(key, content)


class Fixture:
    """A recorder's job context, all in memory but the spool."""

    def __init__(self, folder: Path, storage: Storage):
        mongo = memory_mongo()
        self.clock = FakeClock()
        spool = Spool(folder / "spool")
        spool.open()
        segments = SegmentRepository(mongo)
        signer = WebhookSigner("key", SECRET, self.clock)
        self.folder = folder
        self.context = JobContext(
            jobs=JobRepository(mongo),
            segments=segments,
            storage=storage,
            uploader=Uploader(spool, storage, segments),
            webhooks=WebhookSender("http://127.0.0.1:9/", spool.webhooks, signer, self.clock),
            room_access=RoomAccess("ws://127.0.0.1:9", FakeLiveKit(), TokenMint("key", SECRET, self.clock)),
            clock=self.clock,
            x264_preset="ultrafast",
        )

    async def job(self, *, stream: bool = True, status: EgressStatus = EgressStatus.ACTIVE) -> Job:
        """One that is held, and began now."""
        order = EgressOrder(
            key=KEY,
            session_id=SESSION,
            segments_prefix=f"hls/{SESSION}/{KEY}" if stream else None,
            file_key=f"recordings/{SESSION}/{KEY}.mp4",
            encoding=EncodingOptions(),
        )
        now = self.clock.now()
        await self.context.jobs.add(replace(job_of(order, now), status=status, started_at=now))
        (seen,) = await self.context.jobs.open()
        held = await self.context.jobs.take(seen, "me")
        assert held is not None
        return held

    async def stored(self, job: Job, epoch: int, seconds: float, *, after: float = 0.0) -> list[Segment]:
        """Segments of so many seconds, the first of which began `after` seconds from the start."""
        cuts = await asyncio.to_thread(film, self.folder / str(epoch), seconds)
        start = self.clock.now() + timedelta(seconds=after)
        made = [
            Segment(
                key=KEY,
                session_id=SESSION,
                epoch=epoch,
                n=n,
                path=job.segment_path(epoch, n),
                starts_at=start + timedelta(seconds=2 * n),
                duration=cut.duration,
                size=cut.file.stat().st_size,
            )
            for n, cut in enumerate(cuts)
        ]
        for cut, segment in zip(cuts, made, strict=True):
            await self.context.storage.put(segment.path, cut.file)
        await self.context.segments.add_many(made)
        return made

    def reported(self) -> list[tuple[str, str]]:
        """The reports on disk: event and status."""
        bodies = [
            orjson.loads(file.read_bytes()) for file in sorted(self.context.spool.webhooks.glob("*.json"))
        ]
        return [(body["event"], body["egressInfo"].get("status", "")) for body in bodies]


@pytest.fixture
def fixture(tmp_path: Path) -> Fixture:
    return Fixture(tmp_path, Storage.from_url("memory:"))


async def test_the_segments_of_two_recorders_become_one_file(fixture: Fixture) -> None:
    job = await fixture.job()
    await fixture.stored(job, 1, 4.0)
    await fixture.stored(job, 2, 3.0, after=13.0)
    ended = await Finalizer(job, fixture.context).finalize(None)
    assert (ended.status, ended.error) == (EgressStatus.COMPLETE, None)
    assert ended.gaps == (Gap(after_seconds=4.0, seconds=9.0),)
    assert ended.result is not None
    assert ended.result.duration == pytest.approx(7.0, abs=0.2)
    assert ended.result.segments == 4
    stored = await fixture.context.storage.head(str(job.file_key))
    assert stored is not None
    assert stored.size == ended.result.file_size
    assert await fixture.context.storage.head(f"{job.file_key}.jpg") is not None


async def test_a_segment_whose_file_is_gone_costs_no_more_than_itself(fixture: Fixture) -> None:
    job = await fixture.job()
    segments = await fixture.stored(job, 1, 6.0)
    await fixture.context.storage.delete([segments[1].path])
    ended = await Finalizer(job, fixture.context).finalize(None)
    assert (ended.status, ended.error) == (EgressStatus.COMPLETE, None)
    assert ended.gaps == (Gap(after_seconds=2.0, seconds=2.0),)
    assert ended.result is not None
    assert ended.result.duration == pytest.approx(6.0, abs=0.2)


async def test_nothing_at_all_is_an_end_before_the_beginning(fixture: Fixture) -> None:
    job = await fixture.job()
    ended = await Finalizer(job, fixture.context).finalize(None)
    assert (ended.status, ended.error) == (EgressStatus.ABORTED, "Start signal not received")
    assert (await Finalizer(job, fixture.context).finalize("disk")).status is EgressStatus.FAILED


async def test_a_full_storage_fails_it_and_says_so(tmp_path: Path) -> None:
    inner = Storage.from_url("memory:")
    fixture = Fixture(tmp_path, Full(inner._store, "memory"))
    job = await fixture.job()
    await fixture.stored(job, 1, 2.0)
    ended = await Finalizer(job, fixture.context).finalize(None)
    assert (ended.status, ended.error, ended.result) == (EgressStatus.FAILED, "The storage is full", None)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not await holds():
            await asyncio.sleep(0.01)


async def test_a_job_that_was_stopped_ends_without_joining_the_room(fixture: Fixture) -> None:
    job = await fixture.job(stream=False)
    await fixture.stored(job, 1, 4.0)
    await fixture.context.jobs.stop(job.egress_id)
    (job,) = await fixture.context.jobs.open()
    await JobRunner(job, fixture.context).run()
    found = await fixture.context.jobs.find(KEY)
    assert found is not None
    assert (found.status, found.error) == (EgressStatus.COMPLETE, None)
    assert fixture.reported() == [("egress_updated", "EGRESS_ENDING"), ("egress_ended", "EGRESS_COMPLETE")]
    assert await fixture.context.segments.of(KEY) == []
    assert await fixture.context.storage.head(job.segment_path(1, 0)) is None
    assert await fixture.context.storage.head(str(job.file_key)) is not None


async def test_who_lost_the_lease_writes_nothing(fixture: Fixture) -> None:
    job = await fixture.job()
    await fixture.stored(job, 1, 2.0)
    runner = JobRunner(job, fixture.context)
    (seen,) = await fixture.context.jobs.open()
    other = await fixture.context.jobs.take(seen, "other")
    runner.lose_lease()
    await runner.run()
    assert await fixture.context.jobs.open() == [other]
    assert fixture.reported() == []
    assert await fixture.context.storage.head(str(job.file_key)) is None


async def test_who_leaves_lets_go(fixture: Fixture) -> None:
    runner = JobRunner(await fixture.job(), fixture.context)
    runner.hand_over()
    await runner.run()
    (job,) = await fixture.context.jobs.open()
    assert (job.recorder_id, job.status) == (None, EgressStatus.ACTIVE)


async def test_what_has_no_room_is_given_up(fixture: Fixture) -> None:
    job = await fixture.job()
    runner = JobRunner(job, fixture.context)
    runner.storage_is_full()
    await runner.run()
    found = await fixture.context.jobs.find(KEY)
    assert found is not None
    assert (found.status, found.error) == (EgressStatus.FAILED, "The storage is full")
    assert fixture.reported()[-1] == ("egress_ended", "EGRESS_FAILED")
