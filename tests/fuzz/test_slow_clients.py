"""The gateway keeps serving others while clients are slow, idle or oversized."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from deploy.local.stack import Stack
from tests.fuzz.read_latency import measure
from tests.fuzz.slow_clients import HOST, IDLE, LARGE, SLOW, connections, dribble, send

pytestmark = pytest.mark.timeout(240)

PROBES = 40
# Whatever the machine's speed: a gateway that slow clients hold does not answer late, but 504 by its deadline
# of 10 s for a service, or not at all. It lets a slow body go after 15 s, and a slow head after 75 s.
IN_TIME = 60.0
# What the answer's status begins with.
STATUSES = {"a long line": 431, "a long header": 431, "many headers": 4} | dict.fromkeys(
    ("a huge body", "chunks without end"), 413
)


async def serve(http: aiohttp.ClientSession, reads: int) -> None:
    """So many reads are answered; each goes through to a service, since none is like the ones before."""
    async with asyncio.timeout(IN_TIME):
        for number in range(reads):
            async with http.get("/sessions", params={"limit": 1 + number}) as answer:
                assert answer.status == 200
                await answer.read()


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(stack.base_url) as http:
        yield http


async def test_a_thousand_idle_connections(http: aiohttp.ClientSession, stack: Stack) -> None:
    async with connections(stack.processes["gateway"].port, IDLE):
        await serve(http, PROBES)
        async with aiohttp.ClientSession(stack.base_url) as newcomer:
            await serve(newcomer, 2)
    await serve(http, 5)


async def test_hundreds_of_slow_heads_and_bodies(http: aiohttp.ClientSession, stack: Stack) -> None:
    async with connections(stack.processes["gateway"].port, SLOW) as writers:
        dribbling = asyncio.create_task(dribble(writers))
        try:
            await serve(http, PROBES)
        finally:
            dribbling.cancel()
    await serve(http, 5)


@pytest.mark.parametrize(("kind", "status"), STATUSES.items())
async def test_what_is_too_large_is_refused_at_once(
    http: aiohttp.ClientSession, stack: Stack, kind: str, status: int
) -> None:
    reader, writer = await asyncio.open_connection(HOST, stack.processes["gateway"].port)
    sending = asyncio.create_task(send(writer, *LARGE[kind]))
    try:
        line = await asyncio.wait_for(reader.readline(), IN_TIME)
        assert line.split()[1].startswith(str(status).encode()), line
    finally:
        sending.cancel()
        writer.transport.abort()
    await serve(http, 2)


async def test_others_are_served_beside_each_group_of_clients(stack: Stack) -> None:
    """The short form of what `make fuzz` measures."""
    served = await measure(stack, reads=20)
    assert len(served) == 4
    assert [one.failed for one in served] == [0] * 4
