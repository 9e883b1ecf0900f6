"""The records of segments."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from shared.egress.segments import Segment, SegmentRepository
from shared.persistence.mongo import Mongo

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def segment(key: str, epoch: int, n: int) -> Segment:
    return Segment(
        key=key,
        session_id="s",
        epoch=epoch,
        n=n,
        path=f"hls/s/{key}/{epoch}/{n:06d}.ts",
        starts_at=NOW + timedelta(seconds=100 * epoch + 2 * n),
        duration=2.0,
        size=1000 + n,
        discontinuity=n == 3,
    )


@pytest.fixture
async def segments(mongo: Mongo) -> SegmentRepository:
    repository = SegmentRepository(mongo)
    await repository.ensure_indexes()
    return repository


async def test_they_come_in_the_order_in_which_they_are_played(segments: SegmentRepository) -> None:
    """Epochs before numbers, and numbers as numbers, though they were stored in any order."""
    made = [segment("k", epoch, n) for epoch in (1, 2, 10) for n in range(12)]
    shuffled = random.Random(5).sample(made, len(made))
    await segments.add_many(shuffled[:20])
    await segments.add_many(shuffled[20:])
    await segments.add_many([segment("other", 1, 0)])
    assert await segments.of("k") == made
    assert await segments.latest("k", 4) == made[-4:]
    assert await segments.count("k", limit=100) == len(made)


async def test_a_segment_is_added_once(segments: SegmentRepository) -> None:
    await segments.add_many([segment("k", 1, 0), segment("k", 1, 1)])
    await segments.add_many([segment("k", 1, 1), segment("k", 1, 2)])
    assert [one.n for one in await segments.of("k")] == [0, 1, 2]


async def test_they_are_forgotten_together(segments: SegmentRepository) -> None:
    await segments.add_many([segment("k", 1, n) for n in range(3)])
    await segments.add_many([segment("other", 1, 0)])
    assert await segments.delete_of("k") == 3
    assert await segments.of("k") == []
    assert len(await segments.of("other")) == 1
