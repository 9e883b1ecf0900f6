"""Reads that go together: few queries, nothing from before anybody asked, and everybody is told."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.errors import Unavailable
from shared.persistence.batching import ReadBatcher


class Shelf:
    """Answers the queries that were let go, with what is on it at that moment."""

    def __init__(self) -> None:
        self.things = {"a": 1, "b": 2}
        self.asked: list[list[str]] = []
        self.gate = asyncio.Event()
        self.error: BaseException | None = None

    async def fetch(self, keys: Sequence[str]) -> dict[str, int]:
        self.asked.append(list(keys))
        found = {key: self.things[key] for key in keys if key in self.things}
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return found


async def until_asked(shelf: Shelf, queries: int) -> None:
    async with asyncio.timeout(5):
        while len(shelf.asked) < queries:
            await asyncio.sleep(0)


async def test_what_is_asked_for_meanwhile_is_one_query() -> None:
    shelf = Shelf()
    reads = ReadBatcher(shelf.fetch, "things")
    first = [asyncio.create_task(reads.one("a")), asyncio.create_task(reads.one("b"))]
    await until_asked(shelf, 2)
    rest = [asyncio.create_task(reads.many(["a", "b", "c", "a"])) for _ in range(20)]
    await asyncio.sleep(0)
    shelf.gate.set()
    assert await asyncio.gather(*first) == [1, 2]
    assert await asyncio.gather(*rest) == [{"a": 1, "b": 2}] * 20
    assert shelf.asked == [["a"], ["b"], ["a", "b", "c"]]


async def test_nobody_is_given_what_was_there_before_they_asked() -> None:
    shelf = Shelf()
    reads = ReadBatcher(shelf.fetch, "things")
    before = asyncio.create_task(reads.one("a"))
    await until_asked(shelf, 1)
    shelf.things["a"] = 10
    after = asyncio.create_task(reads.one("a"))
    await until_asked(shelf, 2)
    shelf.gate.set()
    assert (await before, await after) == (1, 10)


async def test_many_keys_are_several_queries() -> None:
    shelf = Shelf()
    shelf.things = {str(number): number for number in range(120)}
    shelf.gate.set()
    assert await ReadBatcher(shelf.fetch, "things").many(shelf.things) == shelf.things
    assert [len(keys) for keys in shelf.asked] == [50, 50, 20]


@pytest.mark.parametrize(
    ("error", "told"),
    [(Unavailable("away"), Unavailable), (KeyError("x"), KeyError), (asyncio.CancelledError(), Unavailable)],
)
async def test_a_failed_query_is_told_and_the_next_is_a_new_one(
    error: BaseException, told: type[Exception]
) -> None:
    shelf = Shelf()
    shelf.error = error
    shelf.gate.set()
    reads = ReadBatcher(shelf.fetch, "things")
    outcomes = await asyncio.gather(reads.one("a"), reads.one("a"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [told, told]
    shelf.error = None
    assert await reads.one("a") == 1


async def test_who_gives_up_takes_nothing_from_others() -> None:
    shelf = Shelf()
    reads = ReadBatcher(shelf.fetch, "things")
    flying = [asyncio.create_task(reads.one(key)) for key in ("a", "b")]
    await until_asked(shelf, 2)
    hasty, patient = asyncio.create_task(reads.one("a")), asyncio.create_task(reads.one("a"))
    await asyncio.sleep(0)
    hasty.cancel()
    flying[0].cancel()
    shelf.gate.set()
    assert await patient == 1
    with pytest.raises(asyncio.CancelledError):
        await hasty
    assert await flying[1] == 2
