"""The recorders' jobs: one holder at a time, however many try."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.egress.engines.embedded import EmbeddedEngine
from shared.contracts.states import VideoFit
from shared.egress.engine import EgressOrder, EgressStatus, EncodingOptions
from shared.egress.job_repository import JobRepository, RecorderRepository
from shared.egress.jobs import Gap, Job, Result, Wanted
from shared.ids import new_id
from shared.persistence.mongo import Mongo
from tests.fakes.fake_clock import FakeClock


def order(session_id: str = "") -> EgressOrder:
    key = new_id().replace("-", "")
    session_id = session_id or new_id()
    return EgressOrder(
        key=key,
        session_id=session_id,
        segments_prefix=None,
        file_key=f"recordings/{session_id}/{key}.mp4",
        encoding=EncodingOptions(width=640, height=360, video_fit=VideoFit.FIT),
    )


@pytest.fixture
async def jobs(mongo: Mongo) -> JobRepository:
    repository = JobRepository(mongo)
    await repository.ensure_indexes()
    return repository


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def engine(jobs: JobRepository, mongo: Mongo, clock: FakeClock) -> EmbeddedEngine:
    return EmbeddedEngine(jobs, RecorderRepository(mongo), clock)


async def test_an_order_is_one_job_however_often_it_is_given(
    engine: EmbeddedEngine, jobs: JobRepository, clock: FakeClock
) -> None:
    given = order()
    ids = await asyncio.gather(*(engine.start(given) for _ in range(5)))
    assert len(set(ids)) == 1
    (job,) = await jobs.open()
    assert (job.key, job.egress_id, job.encoding) == (given.key, ids[0], given.encoding)
    assert (job.status, job.wanted, job.created_at) == (EgressStatus.STARTING, Wanted.RUNNING, clock.now())
    (info,) = await engine.list(given.session_id)
    assert (info.key, info.egress_id, info.status) == (given.key, ids[0], EgressStatus.STARTING)


async def test_a_job_from_before_a_setting_is_read_with_its_default(
    engine: EmbeddedEngine, jobs: JobRepository, mongo: Mongo
) -> None:
    given = order()
    await engine.start(given)
    await mongo.collection("recorder_jobs").update({"_id": given.key}, {"$unset": {"look.video_fit": ""}})
    (job,) = await jobs.open()
    assert job.encoding == replace(given.encoding, video_fit=VideoFit.FILL)


async def test_what_is_stopped_stays_stopped(engine: EmbeddedEngine, jobs: JobRepository) -> None:
    given = order()
    egress_id = await engine.start(given)
    await engine.stop(egress_id)
    await engine.stop(egress_id)
    await engine.start(given)
    await engine.stop("EG_nobody")
    job = await jobs.find(given.key)
    assert job is not None
    assert job.wanted is Wanted.STOPPED


async def test_one_of_many_gets_a_job(engine: EmbeddedEngine, jobs: JobRepository) -> None:
    await engine.start(order())
    (seen,) = await jobs.open()
    taken = await asyncio.gather(*(jobs.take(seen, f"recorder-{n}") for n in range(8)))
    (holder,) = [job for job in taken if job is not None]
    assert holder.epoch == 1
    assert (await jobs.open()) == [holder]


async def held(engine: EmbeddedEngine, jobs: JobRepository) -> Job:
    await engine.start(order())
    (seen,) = await jobs.open()
    job = await jobs.take(seen, "first")
    assert job is not None
    return job


async def test_who_was_taken_over_is_told_and_writes_no_more(
    engine: EmbeddedEngine, jobs: JobRepository
) -> None:
    first = await held(engine, jobs)
    assert await jobs.renew(first)
    (seen,) = await jobs.open()
    second = await jobs.take(seen, "second")
    assert second is not None
    assert (second.epoch, second.beat, second.recorder_id) == (2, 0, "second")
    assert not await jobs.renew(first)
    assert await jobs.change(first, status=EgressStatus.FAILED) is None
    await jobs.release(first)
    assert await jobs.open() == [second]


async def test_a_job_whose_holder_beats_is_not_taken(engine: EmbeddedEngine, jobs: JobRepository) -> None:
    first = await held(engine, jobs)
    (seen,) = await jobs.open()
    assert await jobs.renew(first)
    assert await jobs.take(seen, "second") is None


async def test_what_is_let_go_can_be_taken_at_once(engine: EmbeddedEngine, jobs: JobRepository) -> None:
    first = await held(engine, jobs)
    await jobs.release(first)
    (seen,) = await jobs.open()
    assert seen.recorder_id is None
    assert await jobs.take(seen, "second") is not None


async def test_what_is_over_is_nobodys(engine: EmbeddedEngine, jobs: JobRepository, clock: FakeClock) -> None:
    first = await held(engine, jobs)
    ended = await jobs.change(
        first,
        status=EgressStatus.COMPLETE,
        started_at=clock.now(),
        ended_at=clock.now() + timedelta(seconds=9),
        gaps=(Gap(after_seconds=1.5, seconds=8.25),),
        result=Result(duration=9.0, segments=5, segments_size=10**10, file_size=None),
    )
    assert ended is not None
    assert await jobs.open() == []
    assert await jobs.take(ended, "second") is None
    assert await jobs.find(first.key) == ended
    assert replace(ended, status=first.status, started_at=None, ended_at=None, gaps=(), result=None) == first
    (info,) = await engine.list(first.session_id)
    assert info.status.over


async def test_recorders_show_themselves_and_go(mongo: Mongo, clock: FakeClock) -> None:
    recorders = RecorderRepository(mongo)
    await recorders.ensure_indexes()
    for jobs in (0, 2):
        await recorders.register("one", clock.now(), jobs=jobs, capacity=4)
    await recorders.register("two", clock.now(), jobs=1, capacity=2)
    assert {(one.id, one.jobs, one.capacity) for one in await recorders.all()} == {
        ("one", 2, 4),
        ("two", 1, 2),
    }
    await recorders.remove("one")
    assert [one.id for one in await recorders.all()] == ["two"]
