"""Answers that are made once for many, and given for a moment."""

import asyncio

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


@pytest.mark.parametrize(("kept", "asked"), [(False, 2), (True, 1)])
async def test_a_failure_is_kept_only_if_that_is_wanted(kept: bool, asked: int) -> None:
    source, cache = Source(), TtlCache[int](60.0, keep_failures=kept)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await cache.get("key", source.fail)
        await asyncio.sleep(0)
    assert source.asked == asked


async def test_whoever_gives_up_does_not_take_it_from_the_others() -> None:
    source, cache = Source(), TtlCache[int](60.0)
    first, second = (asyncio.create_task(cache.get("key", source.answer)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    source.may_answer.set()
    assert await second == 1
    await cache.close()
