"""Single inserts gathered into bulk writes."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.errors import Unavailable
from shared.persistence.batching import WriteBatcher
from shared.persistence.mongo import Document


class Store:
    """Keeps documents by `_id`; each write waits for `go` and may be told to fail."""

    def __init__(self) -> None:
        self.kept: dict[str, Document] = {}
        self.writes: list[list[str]] = []
        self.go = asyncio.Event()
        self.go.set()
        self.begun = asyncio.Event()
        self.failure: BaseException | None = None

    async def write(self, documents: Sequence[Document]) -> frozenset[int]:
        self.writes.append([document["_id"] for document in documents])
        self.begun.set()
        await self.go.wait()
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        refused = set()
        for position, document in enumerate(documents):
            if self.kept.setdefault(document["_id"], document) is not document:
                refused.add(position)
        return frozenset(refused)


def adding(writes: WriteBatcher, names: Sequence[str]) -> list[asyncio.Task[bool]]:
    return [asyncio.create_task(writes.add({"_id": name})) for name in names]


async def test_what_arrives_during_a_write_is_the_next_one() -> None:
    store = Store()
    store.go.clear()
    writes = WriteBatcher(store.write, "things")
    first = adding(writes, ["a"])
    await store.begun.wait()
    rest = adding(writes, ["b", "c", "d"])
    await asyncio.sleep(0)
    store.go.set()
    assert await asyncio.gather(*first, *rest) == [True] * 4
    assert store.writes == [["a"], ["b", "c", "d"]]


async def test_a_bulk_write_has_a_largest_size() -> None:
    store = Store()
    writes = WriteBatcher(store.write, "things", largest=2)
    assert await asyncio.gather(*adding(writes, list("abcde"))) == [True] * 5
    assert store.writes == [["a", "b"], ["c", "d"], ["e"]]


async def test_a_duplicate_is_told_to_be_one_in_the_same_write_and_in_a_later() -> None:
    writes = WriteBatcher(Store().write, "things")
    assert await asyncio.gather(*adding(writes, ["a", "a", "b"])) == [True, False, True]
    assert await writes.add({"_id": "b"}) is False


async def test_a_failed_write_fails_its_own_and_not_the_next() -> None:
    store = Store()
    store.failure = Unavailable("the database is away")
    writes = WriteBatcher(store.write, "things", largest=2)
    results = await asyncio.gather(*adding(writes, ["a", "b", "c"]), return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable, Unavailable, bool]
    assert await writes.add({"_id": "a"}) is True


async def test_a_cancellation_that_nobody_asked_for_leaves_nobody_waiting() -> None:
    store = Store()
    store.failure = asyncio.CancelledError()
    writes = WriteBatcher(store.write, "things", largest=1)
    results = await asyncio.gather(*adding(writes, ["a", "b"]), return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable, Unavailable]
    assert await writes.add({"_id": "c"}) is True


async def test_whoever_gives_up_waiting_does_not_disturb_the_others() -> None:
    store = Store()
    store.go.clear()
    writes = WriteBatcher(store.write, "things")
    impatient, patient = adding(writes, ["a", "b"])
    await store.begun.wait()
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    store.go.set()
    assert await patient is True
    assert set(store.kept) == {"a", "b"}


async def test_what_was_given_up_before_its_write_is_not_stored() -> None:
    store = Store()
    store.go.clear()
    writes = WriteBatcher(store.write, "things")
    first, impatient = adding(writes, ["a"]), adding(writes, ["b"])[0]
    await store.begun.wait()
    late = asyncio.create_task(writes.add({"_id": "c"}))
    await asyncio.sleep(0)
    late.cancel()
    store.go.set()
    assert await asyncio.gather(*first, impatient) == [True, True]
    assert await writes.add({"_id": "d"}) is True
    assert set(store.kept) == {"a", "b", "d"}
