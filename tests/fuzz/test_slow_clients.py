"""Clients that are slow, idle or too big leave the gateway serving everybody else."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from deploy.local.stack import Stack

pytestmark = pytest.mark.timeout(120)

IDLE = 1000
# More than the gateway has connections to a service: none may be held by a client that does not go on.
SLOW = 300
PROBES = 40

_HEAD = b"POST /auth/viewer/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
_SLOW = {
    "idle": b"",
    "an idle keep-alive": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "half a request line": b"GET /roo",
    "a head without end": _HEAD + b"X-Slow: ",
    "a body that does not come": _HEAD + b"Content-Length: 40\r\n\r\n",
    "a large body that does not come": _HEAD + b"Content-Length: 900000\r\n\r\n{",
    "a large body that ends too early": _HEAD + b"Content-Length: 900000\r\n\r\n{" + b" " * 100_000,
    "a chunk that does not come": _HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n",
}


@asynccontextmanager
async def connections(port: int, sent: dict[str, int]) -> AsyncIterator[list[asyncio.StreamWriter]]:
    """So many connections that each have sent so much, and go on with a byte now and then."""
    writers: list[asyncio.StreamWriter] = []
    try:
        for name, count in sent.items():
            for _ in range(count):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(_SLOW[name])
                writers.append(writer)
        yield writers
    finally:
        for writer in writers:
            writer.transport.abort()


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
    limit, idle = await fine(http), {"idle": IDLE // 2, "an idle keep-alive": IDLE // 2}
    async with connections(stack.processes["gateway"].port, idle):
        assert await probe(http, PROBES) < limit
        async with aiohttp.ClientSession(stack.base_url) as newcomer:
            assert await probe(newcomer, 2) < limit
    assert await probe(http, 5) < limit


async def test_hundreds_of_slow_heads_and_bodies(http: aiohttp.ClientSession, stack: Stack) -> None:
    limit, slow = await fine(http), {name: SLOW for name in _SLOW if "idle" not in name}
    async with connections(stack.processes["gateway"].port, slow) as writers:
        dribbling = asyncio.create_task(dribble(writers))
        try:
            assert await probe(http, PROBES) < limit
        finally:
            dribbling.cancel()
    assert await probe(http, 5) < limit


async def dribble(writers: list[asyncio.StreamWriter]) -> None:
    """A byte from each, again and again, until cancelled."""
    while True:
        for writer in writers:
            if not writer.is_closing():
                writer.write(b"1")
        await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    ("head", "body", "status"),
    [
        (b"GET /rooms?" + b"q" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"", b"431"),
        (b"GET /rooms HTTP/1.1\r\nHost: x\r\nCookie: " + b"c" * 60_000 + b"\r\n\r\n", b"", b"431"),
        (b"GET /rooms HTTP/1.1\r\nHost: x\r\n" + b"A: 1\r\n" * 5_000 + b"\r\n", b"", b"4"),
        (_HEAD + b"Content-Length: 10000000000\r\n\r\n", b"x" * 100_000, b"413"),
        (_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65_536 + b"\r\n", b"413"),
    ],
    ids=["a long line", "a long header", "many headers", "a huge body", "chunks without end"],
)
async def test_what_is_too_large_is_refused_at_once(
    http: aiohttp.ClientSession, stack: Stack, head: bytes, body: bytes, status: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", stack.processes["gateway"].port)
    sending = asyncio.create_task(send(writer, head, body))
    try:
        line = await asyncio.wait_for(reader.readline(), 10)
        assert line.split()[1].startswith(status), line
    finally:
        sending.cancel()
        writer.transport.abort()
    assert await probe(http, 2) < 5


async def send(writer: asyncio.StreamWriter, head: bytes, body: bytes) -> None:
    """Send what is too large, and go on for 4 MB; the gateway may hang up before."""
    try:
        writer.write(head)
        sent = 0
        while body and sent < 4_000_000:
            writer.write(body)
            sent += len(body)
            await writer.drain()
    except ConnectionError:
        return
