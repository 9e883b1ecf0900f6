"""Counts that gateways share by Redis, and what they do without it."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from services.gateway.limiting.store import ALONE
from tests.integration.gateway.fixtures import GatewayFixture, bearer, running
from tests.integration.gateway.redis_node import RedisNode, redis_node
from tests.integration.gateway.sign_ins import sign_in, try_password


@pytest.fixture(scope="module")
async def redis() -> AsyncIterator[RedisNode]:
    async with redis_node() as node:
        yield node


async def test_two_gateways_count_together(redis: RedisNode) -> None:
    limits: dict[str, object] = {"rate_limit_login_email": "3/hour", "redis_url": redis.url}
    async with running(**limits) as one, running(**limits) as two:
        one.session.handler = two.session.handler = sign_in
        tries = [(await try_password(gateway, "wrong", "cy@example.com"))[0] for gateway in (one, two) * 10]
        # On a busy machine a count may come too late to count.
        assert 3 <= tries.count(401) < 10
        assert tries.count(429) > 10


async def test_two_gateways_count_failures_of_an_address_and_a_tenant_s_writes_together(
    redis: RedisNode,
) -> None:
    limits: dict[str, object] = {"rate_limit_login_address": "4/hour", "rate_limit_writes": "4/day"}
    limits["redis_url"] = redis.url
    async with running(**limits) as one, running(**limits) as two:
        one.session.handler = two.session.handler = sign_in
        each = [(number, gateway) for number in range(5) for gateway in (one, two)]
        tries = [
            (await try_password(gateway, "wrong", f"q{number}@example.com"))[0] for number, gateway in each
        ]
        # On a busy machine a count may come too late to be common; then each gateway counts alone.
        assert 4 <= tries.count(401) <= 8
        assert tries[-2:] == [429, 429]
        writes = [await write(gateway) for _, gateway in each]
        assert 4 <= writes.count(401) <= 8
        assert writes[-2:] == [429, 429]


async def write(gateway: GatewayFixture) -> int:
    async with gateway.http.post("/rooms", headers=bearer(), json={"password": ""}) as answer:
        return answer.status


async def test_the_right_password_is_taken_again_in_the_next_window(redis: RedisNode) -> None:
    async with running(rate_limit_login_email="1/2 second", redis_url=redis.url) as gateway:
        gateway.session.handler = sign_in
        status, headers = await try_password(gateway, "wrong", "dee@example.com")
        async with asyncio.timeout(20):
            while status != 429:
                status, headers = await try_password(gateway, "wrong", "dee@example.com")
        assert (headers["Retry-After"], headers["RateLimit-Limit"]) in {("1", "1"), ("2", "1")}
        async with asyncio.timeout(20):
            while status != 200:
                status, headers = await try_password(gateway, "right", "dee@example.com")


async def test_without_its_redis_a_gateway_slows_guessing_alone() -> None:
    async with running(rate_limit_login_email="3/hour", redis_url="redis://127.0.0.1:1/0") as gateway:
        gateway.session.handler = sign_in
        assert (await try_password(gateway, "right"))[0] == 200
        statuses = [(await try_password(gateway, "wrong"))[0] for _ in range(5)]
        assert statuses == [401, 401, 401, 429, 429]


async def test_nobody_waits_for_a_redis_that_is_frozen(redis: RedisNode) -> None:
    async with running(rate_limit_writes="20/hour", redis_url=redis.url) as gateway:
        await _until_counted_in_common(gateway)
        async with gateway.http.post("/rooms", headers=bearer()) as answer:
            before = int(answer.headers["RateLimit-Remaining"])
        redis.freeze()
        try:
            started = time.perf_counter()
            for _ in range(20):
                async with gateway.http.post("/rooms", headers=bearer()) as answer:
                    assert answer.status == 200
            assert time.perf_counter() - started < 2
            async with gateway.http.post("/rooms", headers=bearer()) as answer:
                assert answer.status == 429
        finally:
            redis.thaw()
        async with asyncio.timeout(10):
            while answer.status != 200:
                async with gateway.http.post("/rooms", headers=bearer()) as answer:
                    await answer.read()
        assert int(answer.headers["RateLimit-Remaining"]) <= before - 1


async def _until_counted_in_common(gateway: GatewayFixture) -> None:
    """On a busy machine the first count may come too late, since it connects: then it is counted alone."""
    async with asyncio.timeout(10):
        while True:
            alone = ALONE._value.get()
            async with gateway.http.post("/auth/refresh", json={}) as answer:
                assert answer.status == 200
            if ALONE._value.get() == alone:
                return
            await asyncio.sleep(0.1)
