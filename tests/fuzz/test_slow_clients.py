"""The gateway keeps serving others while clients are slow, idle or oversized."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from deploy.local.stack import Stack
from tests.fuzz.read_latency import measure
from tests.fuzz.slow_clients import HOST, IDLE, LARGE, SLOW, connections, dribble, send

pytestmark = pytest.mark.timeout(240)

PROBES = 40
# What the answer's status begins with.
STATUSES = {"a long line": 431, "a long header": 431, "many headers": 4} | dict.fromkeys(
    ("a huge body", "chunks without end"), 413
)


async def probe(http: aiohttp.ClientSession, times: int) -> float:
    """How long a read that goes through to a service takes, in seconds, save for the slowest twentieth."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        async with http.get("/sessions", params={"limit": 1}) as answer:
            assert answer.status == 200
            await answer.read()
        seconds.append(time.perf_counter() - started)
    return sorted(seconds)[-1 - times // 20]


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(stack.base_url, timeout=aiohttp.ClientTimeout(total=10)) as http:
        yield http


async def fine(http: aiohttp.ClientSession) -> float:
    """The longest that a read may take: the machine may be busy, but a gateway that is held waits 10 s."""
    return 1.0 + 5 * await probe(http, 10)


async def test_a_thousand_idle_connections(http: aiohttp.ClientSession, stack: Stack) -> None:
    limit = await fine(http)
    async with connections(stack.processes["gateway"].port, IDLE):
        assert await probe(http, PROBES) < limit
        async with aiohttp.ClientSession(stack.base_url) as newcomer:
            assert await probe(newcomer, 2) < limit
    assert await probe(http, 5) < limit


async def test_hundreds_of_slow_heads_and_bodies(http: aiohttp.ClientSession, stack: Stack) -> None:
    limit = await fine(http)
    async with connections(stack.processes["gateway"].port, SLOW) as writers:
        dribbling = asyncio.create_task(dribble(writers))
        try:
            assert await probe(http, PROBES) < limit
        finally:
            dribbling.cancel()
    assert await probe(http, 5) < limit


@pytest.mark.parametrize(("kind", "status"), STATUSES.items())
async def test_what_is_too_large_is_refused_at_once(
    http: aiohttp.ClientSession, stack: Stack, kind: str, status: int
) -> None:
    reader, writer = await asyncio.open_connection(HOST, stack.processes["gateway"].port)
    sending = asyncio.create_task(send(writer, *LARGE[kind]))
    try:
        line = await asyncio.wait_for(reader.readline(), 10)
        assert line.split()[1].startswith(str(status).encode()), line
    finally:
        sending.cancel()
        writer.transport.abort()
    assert await probe(http, 2) < 5


async def test_others_are_served_beside_each_group_of_clients(stack: Stack) -> None:
    """The short form of what `make fuzz` measures."""
    served = await measure(stack, reads=20)
    assert len(served) == 4
    assert [one.failed for one in served] == [0] * 4
