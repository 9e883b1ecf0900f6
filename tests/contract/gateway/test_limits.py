"""Counting, over memory and over Redis; and over a Redis that is frozen, killed or never was."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from services.gateway.limiting.limiter import Limit
from services.gateway.limiting.store import ALONE, LimitStore
from shared.ids import new_id
from tests.integration.gateway.redis_node import RedisNode, redis_node

# If the count itself matters, and not how fast it comes.
PATIENT = 5.0


@pytest.fixture(scope="module")
async def redis() -> AsyncIterator[RedisNode]:
    async with redis_node() as node:
        yield node


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest, redis: RedisNode) -> AsyncIterator[LimitStore]:
    store = LimitStore(redis.url if request.param == "redis" else "", PATIENT)
    yield store
    await store.close()


def things(store: LimitStore, rate: str = "3/hour") -> Limit:
    return Limit("things", rate, store)


async def hits(limit: Limit, who: str, times: int) -> list[int]:
    """What remains after each hit."""
    return [(await limit.hit(who)).remaining for _ in range(times)]


async def test_a_window_counts_up_and_says_what_is_left(store: LimitStore) -> None:
    limit, who = things(store, "3/minute"), new_id()
    counts = [await limit.hit(who) for _ in range(4)]
    assert [count.remaining for count in counts] == [2, 1, 0, 0]
    assert [count.exceeded for count in counts] == [False, False, False, True]
    headers = counts[-1].headers()
    assert 55 <= int(headers.pop("RateLimit-Reset")) <= 60
    assert headers == {"RateLimit-Limit": "3", "RateLimit-Remaining": "0"}


async def test_everybody_counts_for_themselves_and_by_limit(store: LimitStore) -> None:
    one, two = new_id(), new_id()
    for limit, who in ((things(store), one), (things(store), two), (Limit("other", "3/hour", store), one)):
        assert await hits(limit, who, 1) == [2]


async def test_the_next_window_begins_at_nothing(store: LimitStore) -> None:
    limit, who = things(store, "1/second"), new_id()
    count = await limit.hit(who)
    assert (count.exceeded, count.seconds) == (False, 1)
    async with asyncio.timeout(10):
        while (await limit.hit(who)).exceeded:
            await asyncio.sleep(0.05)


async def test_what_is_taken_back_is_taken_from_its_own_window(store: LimitStore) -> None:
    limit, who = things(store), new_id()
    first = await limit.hit(who)
    await limit.hit(who)
    await limit.refund(first)
    assert (await limit.read(who)).remaining == 2
    short, who = things(store, "3/5 seconds"), new_id()
    first = await short.hit(who)
    async with asyncio.timeout(30):
        while (await short.read(who)).remaining < 3:
            await asyncio.sleep(0.05)
    await short.hit(who)
    await short.refund(first)
    assert (await short.read(who)).remaining == 2


async def test_two_gateways_count_together(redis: RedisNode) -> None:
    one, two, who = LimitStore(redis.url, PATIENT), LimitStore(redis.url, PATIENT), new_id()
    for number, store in enumerate((one, two, one, two), start=1):
        assert (await things(store, "4/hour").hit(who)).remaining == 4 - number
    await one.close()
    await two.close()


async def test_many_at_once_are_all_counted(redis: RedisNode) -> None:
    store, who = LimitStore(redis.url, PATIENT), new_id()
    limit = things(store, "200/hour")
    for _ in range(5):
        await asyncio.gather(*(limit.hit(who) for _ in range(20)))
    assert (await limit.read(who)).remaining == 100
    await store.close()


async def test_without_the_redis_it_names_a_gateway_counts_alone_and_holds_nobody_up() -> None:
    store = LimitStore("redis://127.0.0.1:1/0")
    limit, who, other = things(store, "100/hour"), new_id(), new_id()
    started = time.perf_counter()
    assert await hits(limit, who, 99) == list(range(99, 0, -1))
    count = await limit.hit(who)
    assert time.perf_counter() - started < 3
    assert ((await limit.read(who)).remaining, (await limit.read(other)).remaining) == (0, 100)
    await limit.refund(count)
    assert (await limit.read(who)).remaining == 1
    await store.close()


async def test_a_frozen_redis_is_asked_by_nobody_until_it_answers_a_probe() -> None:
    async with redis_node() as node:
        store = LimitStore(node.url)
        limit, who, other = things(store, "200/hour"), new_id(), new_id()
        common = await limit.hit(who)
        assert common.remaining == 199
        node.freeze()
        alone = ALONE._value.get()
        started = time.perf_counter()
        counted = await asyncio.gather(*(limit.hit(who) for _ in range(50)))
        assert min(count.remaining for count in counted) == 150
        assert store.away
        assert await hits(limit, who, 50) == list(range(149, 99, -1))
        assert time.perf_counter() - started < 3
        assert ALONE._value.get() == alone + 100
        # It was counted elsewhere.
        await limit.refund(common)
        assert (await limit.read(who)).remaining == 100
        node.thaw()
        await _back(store)
        assert await hits(limit, other, 1) == [199]
        await store.close()


async def test_a_killed_redis_is_used_again_when_it_is_back() -> None:
    async with redis_node() as node:
        store = LimitStore(node.url, PATIENT)
        limit, who = things(store, "20/hour"), new_id()
        await asyncio.gather(*(limit.hit(who) for _ in range(10)))
        await node.kill()
        assert await hits(limit, who, 1) == [19]
        await node.start()
        await _back(store)
        await asyncio.gather(*(limit.hit(who) for _ in range(10)))
        assert (await limit.read(who)).remaining == 10
        await store.close()


async def _back(store: LimitStore) -> None:
    async with asyncio.timeout(10):
        while store.away:
            await asyncio.sleep(0.01)
