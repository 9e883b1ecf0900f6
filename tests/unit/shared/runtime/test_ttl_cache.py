"""Answers that are made once for many, and given for a moment."""

import asyncio
import gc
from collections.abc import Awaitable, Callable

import pytest

from shared.runtime.ttl_cache import TtlCache


class Source:
    """Counts what it is asked, and answers when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()

    async def answer(self) -> int:
        self.asked += 1
        await self.may_answer.wait()
        return self.asked

    async def fail(self) -> int:
        self.asked += 1
        raise ZeroDivisionError


async def test_all_who_ask_at_the_same_time_get_one_answer() -> None:
    source, cache = Source(), TtlCache[int](60.0)
    waiting = asyncio.gather(*(cache.get("key", source.answer) for _ in range(5)))
    source.may_answer.set()
    assert await waiting == [1] * 5
    assert await cache.get("another", source.answer) == 2


async def test_an_answer_is_given_for_its_time() -> None:
    now = 100.0
    source, cache = Source(), TtlCache[int](0.5, clock=lambda: now)
    source.may_answer.set()
    assert await cache.get("key", source.answer) == 1
    now += 0.4
    assert await cache.get("key", source.answer) == 1
    now += 0.1
    assert await cache.get("key", source.answer) == 2


async def test_what_takes_longer_than_its_time_is_made_once() -> None:
    now = 100.0
    source, cache = Source(), TtlCache[int](1.0, clock=lambda: now)
    first = asyncio.create_task(cache.get("key", source.answer))
    await asyncio.sleep(0)
    now += 5
    assert "key" in cache
    late = asyncio.create_task(cache.get("key", source.answer))
    other = asyncio.create_task(cache.get("other", source.answer))
    await asyncio.sleep(0)
    source.may_answer.set()
    assert (await first, await late, await other) == (2, 2, 2)
    assert source.asked == 2
    assert cache.find("key") is None


async def test_closing_gives_up_what_was_dropped_while_it_was_made() -> None:
    source, cache = Source(), TtlCache[int](1.0)
    waiting = asyncio.create_task(cache.get("key", source.answer))
    await asyncio.sleep(0)
    cache.clear()
    await cache.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_failure_is_given_to_those_who_wait_for_it_and_to_nobody_later() -> None:
    source, cache = Source(), TtlCache[int](60.0)
    for asked in (1, 2):
        both = asyncio.gather(*(cache.get("key", source.fail) for _ in range(2)), return_exceptions=True)
        assert [type(error) for error in await both] == [ZeroDivisionError] * 2
        assert (source.asked, len(cache)) == (asked, 0)


async def test_a_failure_is_gone_as_soon_as_nobody_has_it() -> None:
    """Without waiting for the garbage collector: a flood of failures is faster than that."""
    cache = TtlCache[int](60.0)
    gc.collect()
    gc.disable()
    try:
        for key in range(50):
            with pytest.raises(ZeroDivisionError):
                await cache.get(key, Source().fail)
        await asyncio.sleep(0)
        left = sum(isinstance(one, ZeroDivisionError) for one in gc.get_objects())
    finally:
        gc.enable()
    # Pytest may still show the last of them.
    assert left <= 1


async def test_what_does_not_exist_pushes_out_nothing_that_does() -> None:
    cache = TtlCache[str | None](60.0, max_entries=3, max_size=3)

    async def absent() -> None:
        return None

    await cache.get("there", _answering("x"))
    for number in range(3_000):
        assert await cache.get(number, absent) is None
    assert (cache.find("there"), len(cache)) == ("x", 1 + 1_000)
    assert await cache.get(2_999, _answering("made again")) is None


async def test_whoever_gives_up_does_not_take_it_from_the_others() -> None:
    source, cache = Source(), TtlCache[int](60.0)
    first, second = (asyncio.create_task(cache.get("key", source.answer)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    source.may_answer.set()
    assert await second == 1
    await cache.close()


async def test_the_oldest_make_room_by_number_and_by_size() -> None:
    cache = TtlCache[str](60.0, max_entries=3, max_size=100, size_of=len)
    for number in range(5):
        await cache.get(number, _answering("x"))
    assert [cache.find(number) for number in range(5)] == [None, None, "x", "x", "x"]
    for number in range(20):
        await cache.get("large", _answering("x" * 50))
        await cache.get(f"more-{number}", _answering("x" * 45))
        assert cache.size <= 100
    cache.clear()
    assert (len(cache), cache.size) == (0, 0)


async def test_what_has_no_size_is_not_kept() -> None:
    cache = TtlCache[str](60.0, size_of=lambda text: len(text) if len(text) < 10 else None)
    assert await cache.get("key", _answering("x" * 10)) == "x" * 10
    assert (cache.find("key"), len(cache), cache.size) == (None, 0, 0)


async def test_what_has_expired_makes_room_first() -> None:
    now = 0.0
    cache = TtlCache[str](1.0, size_of=len, clock=lambda: now)
    await cache.get("old", _answering("x"))
    now = 2.0
    await cache.get("new", _answering("xx"))
    assert (cache.find("old"), cache.find("new"), len(cache), cache.size) == (None, "xx", 1, 2)


async def test_an_answer_that_took_too_long_is_not_kept() -> None:
    now = 0.0
    source, cache = Source(), TtlCache[int](1.0, clock=lambda: now)
    asking = await _asking(cache, source)
    now = 1.0
    source.may_answer.set()
    await asking
    assert (cache.find("key"), len(cache)) == (None, 0)


async def test_what_was_cleared_while_it_was_asked_for_is_given_only_to_those_who_asked() -> None:
    source, cache = Source(), TtlCache[int](60.0)
    before = await _asking(cache, source)
    cache.clear()
    after = await _asking(cache, source)
    source.may_answer.set()
    await asyncio.gather(before, after)
    assert source.asked == 2
    assert len(cache) == 1
    cache.clear()
    assert cache.find("key") is None


async def test_closing_ends_what_is_being_asked() -> None:
    cache = TtlCache[int](60.0)
    asking = await _asking(cache, Source())
    await cache.close()
    with pytest.raises(asyncio.CancelledError):
        await asking


def _answering(text: str) -> Callable[[], Awaitable[str]]:
    async def answer() -> str:
        return text

    return answer


async def _asking(cache: TtlCache[int], source: Source) -> asyncio.Task[int]:
    task = asyncio.create_task(cache.get("key", source.answer))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task
