"""What waits on the recorder's own disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.recorder.spool.spool import Spool, SpooledSegment, SpoolInUse
from services.recorder.spool.uploader import Uploader
from shared.egress.segments import Segment, SegmentRepository
from shared.errors import Unavailable
from shared.files.storage import Storage, StorageFull
from tests.fakes.memory_mongo import memory_mongo

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DEADLINE = 10.0


class FailingStorage:
    """A storage in memory that answers with these errors first."""

    def __init__(self, *errors: Exception):
        self.inner = Storage.from_url("memory:")
        self.errors = list(errors)

    async def put(self, key: str, content: bytes | Path) -> None:
        if self.errors:
            raise self.errors.pop(0)
        await self.inner.put(key, content)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    made = Spool(tmp_path / "spool")
    made.open()
    return made


def spooled(spool: Spool, n: int, key: str = "k", epoch: int = 1) -> SpooledSegment:
    file = spool.path(key, epoch, n)
    file.write_bytes(b"segment %d" % n)
    return spool.complete(
        file,
        Segment(
            key=key,
            session_id="s",
            epoch=epoch,
            n=n,
            path=f"hls/s/{key}/{epoch}/{n:06d}.ts",
            starts_at=NOW + timedelta(seconds=2 * n),
            duration=2.0,
            size=file.stat().st_size,
        ),
    )


def test_a_recorder_is_who_has_the_folder(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    identity = first.open()
    with pytest.raises(SpoolInUse):
        Spool(tmp_path).open()
    first.close()
    assert Spool(tmp_path).open() == identity


def test_a_dead_recorder_leaves_its_complete_segments_alone(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    first.open()
    for n in (1, 0):
        spooled(first, n)
    in_hand = first.path("k", 1, 2)
    in_hand.write_bytes(b"half a segm")
    first.close()
    second = Spool(tmp_path)
    second.open()
    assert [one.segment.n for one in second.waiting()] == [0, 1]
    assert not in_hand.exists()


def test_what_was_stored_is_gone(spool: Spool) -> None:
    one = spooled(spool, 0)
    spool.remove(one)
    assert spool.waiting() == []
    assert not one.file.exists()
    spool.forget("k")
    spool.forget("k")
    assert list((spool.folder / "segments").iterdir()) == []


@pytest.fixture
def segments() -> SegmentRepository:
    return SegmentRepository(memory_mongo())


class Running:
    def __init__(self, spool: Spool, storage: FailingStorage, segments: SegmentRepository):
        self.storage, self.segments = storage, segments
        self.uploader = Uploader(spool, storage, segments)
        self.task = asyncio.create_task(self.uploader.run())

    async def all_of(self, key: str) -> list[int]:
        async with asyncio.timeout(DEADLINE):
            await self.uploader.done(key)
        return [one.n for one in await self.segments.of(key)]


@pytest.fixture
async def running(
    spool: Spool, segments: SegmentRepository, request: pytest.FixtureRequest
) -> AsyncIterator[Running]:
    made = Running(spool, FailingStorage(*getattr(request, "param", ())), segments)
    yield made
    made.task.cancel()
    await asyncio.gather(made.task, return_exceptions=True)


async def test_segments_are_stored_in_order_and_then_known(running: Running, spool: Spool) -> None:
    for n in range(3):
        running.uploader.add(spooled(spool, n))
    assert await running.all_of("k") == [0, 1, 2]
    assert await running.storage.inner.get("hls/s/k/1/000002.ts") == b"segment 2"
    assert spool.waiting() == []


@pytest.mark.parametrize("running", [(Unavailable("away"), Unavailable("away"))], indirect=True)
async def test_a_storage_that_is_away_loses_nothing(running: Running, spool: Spool) -> None:
    running.uploader.add(spooled(spool, 0))
    running.uploader.add(spooled(spool, 1))
    assert await running.all_of("k") == [0, 1]


@pytest.mark.parametrize("running", [tuple(StorageFull("full") for _ in range(100))], indirect=True)
async def test_a_full_storage_is_reported_and_what_waits_can_be_dropped(
    running: Running, spool: Spool
) -> None:
    full: asyncio.Queue[str] = asyncio.Queue()
    running.uploader.on_full = full.put_nowait
    running.uploader.add(spooled(spool, 0))
    async with asyncio.timeout(DEADLINE):
        assert await full.get() == "k"
    await running.uploader.drop("k")
    assert await running.all_of("k") == []
    assert spool.waiting() == []
    # The next one finds room again.
    running.storage.errors.clear()
    running.uploader.add(spooled(spool, 0, key="other"))
    assert await running.all_of("other") == [0]


async def test_what_began_after_a_lease_was_lost_is_dropped(
    spool: Spool, segments: SegmentRepository
) -> None:
    uploader = Uploader(spool, FailingStorage(), segments)
    for n in range(4):
        uploader.add(spooled(spool, n))
    await uploader.drop("k", after=NOW + timedelta(seconds=3))
    assert [one.segment.n for one in spool.waiting()] == [0, 1]


async def test_what_lies_beyond_the_limit_is_never_recorded(running: Running, spool: Spool) -> None:
    """Though it was on its way already when the lease turned out to be lost."""
    running.uploader.add(spooled(spool, 0))
    assert await running.all_of("k") == [0]
    running.uploader.limit("k", NOW + timedelta(seconds=3))
    for n in (1, 2):
        running.uploader.add(spooled(spool, n))
    assert await running.all_of("k") == [0, 1]
    assert spool.waiting() == []
    running.uploader.unlimit("k")
    running.uploader.add(spooled(spool, 3))
    assert await running.all_of("k") == [0, 1, 3]
