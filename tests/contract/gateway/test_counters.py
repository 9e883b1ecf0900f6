"""Counting, over memory and over Redis; and over a Redis that is frozen, killed or never was."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from services.gateway.limiting.counters import Counters, Rule
from services.gateway.limiting.store import ALONE, Store
from shared.ids import new_id
from shared.testing.fake_clock import FakeClock
from tests.integration.gateway.redis_node import RedisNode, redis_node

RULE = Rule.of("things", "3/minute")
# Where the count itself matters, and not how fast it comes.
PATIENT = 5.0
CLOCK = FakeClock(datetime(2030, 1, 1, 12, 0, 20, tzinfo=UTC))


@pytest.fixture(scope="module")
async def redis() -> AsyncIterator[RedisNode]:
    async with redis_node() as node:
        yield node


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest, redis: RedisNode) -> AsyncIterator[Store]:
    store = Store.of(redis.url if request.param == "redis" else "", PATIENT)
    yield store
    await store.close()


async def test_a_window_counts_up_and_says_what_is_left(store: Store) -> None:
    counters, who = Counters(store, CLOCK), new_id()
    counts = [await counters.add(RULE, who) for _ in range(4)]
    assert [count.used for count in counts] == [1, 2, 3, 4]
    last = counts[-1]
    assert [count.exceeded for count in counts] == [False, False, False, True]
    assert last.headers() == {
        "RateLimit-Limit": "3",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "40",
    }


async def test_everybody_counts_for_themselves_and_by_rule(store: Store) -> None:
    counters, one, two = Counters(store, CLOCK), new_id(), new_id()
    for rule, who in ((RULE, one), (RULE, two), (Rule.of("other", "3/minute"), one)):
        count = await counters.add(rule, who)
        assert count.used == 1


async def test_the_next_window_begins_at_nothing(store: Store) -> None:
    clock, who = FakeClock(datetime(2030, 1, 1, 12, 0, 59, tzinfo=UTC)), new_id()
    counters = Counters(store, clock)
    before = await counters.add(RULE, who)
    clock.advance(seconds=1)
    after = await counters.add(RULE, who)
    assert (before.used, before.seconds, after.used, after.seconds) == (1, 1, 1, 60)


async def test_what_is_taken_back_is_taken_from_its_own_window(store: Store) -> None:
    clock, who = FakeClock(datetime(2030, 1, 1, 12, 0, 59, tzinfo=UTC)), new_id()
    counters = Counters(store, clock)
    first = await counters.add(RULE, who)
    clock.advance(seconds=1)
    await counters.add(RULE, who)
    await counters.take_back(first)
    count = await counters.read(RULE, who)
    assert count.used == 1


async def test_two_gateways_count_together(redis: RedisNode) -> None:
    one, two, who = Store.of(redis.url, PATIENT), Store.of(redis.url, PATIENT), new_id()
    for number, store in enumerate((one, two, one, two), start=1):
        count = await Counters(store, CLOCK).add(RULE, who)
        assert count.used == number
    await one.close()
    await two.close()


async def test_many_at_once_are_all_counted(redis: RedisNode) -> None:
    store, who = Store.of(redis.url, PATIENT), new_id()
    counters = Counters(store, CLOCK)
    for _ in range(5):
        await asyncio.gather(*(counters.add(RULE, who) for _ in range(20)))
    count = await counters.read(RULE, who)
    assert count.used == 100
    await store.close()


async def test_without_the_redis_it_names_a_gateway_counts_alone_and_holds_nobody_up() -> None:
    store = Store.of("redis://127.0.0.1:1/0")
    started = time.perf_counter()
    assert [await store.add("key", 1, 60) for _ in range(100)] == list(range(1, 101))
    assert time.perf_counter() - started < 3
    assert (await store.read("key"), await store.read("other")) == (100, 0)
    assert (await store.add("key", -1, 60), await store.add("other", -1, 60)) == (99, 0)
    await store.close()


async def test_a_frozen_redis_is_asked_by_nobody_until_it_answers_a_probe() -> None:
    async with redis_node() as node:
        store = Store.of(node.url)
        assert await store.add("key", 1, 60) == 1
        node.freeze()
        alone = ALONE._value.get()
        started = time.perf_counter()
        counted = await asyncio.gather(*(store.add("key", 1, 60) for _ in range(50)))
        assert sorted(counted) == list(range(1, 51))
        assert store.away
        assert [await store.add("key", 1, 60) for _ in range(50)] == list(range(51, 101))
        assert time.perf_counter() - started < 3
        assert ALONE._value.get() == alone + 100
        node.thaw()
        await _back(store)
        assert await store.add("other", 1, 60) == 1
        await store.close()


async def test_a_killed_redis_is_used_again_when_it_is_back() -> None:
    async with redis_node() as node:
        store = Store.of(node.url, PATIENT)
        await asyncio.gather(*(store.add("key", 1, 60) for _ in range(10)))
        await node.kill()
        assert await store.add("key", 1, 60) == 1
        await node.start()
        await _back(store)
        counted = await asyncio.gather(*(store.add("key", 1, 60) for _ in range(10)))
        assert sorted(counted) == list(range(1, 11))
        await store.close()


async def _back(store: Store) -> None:
    async with asyncio.timeout(10):
        while store.away:
            await asyncio.sleep(0.01)
