"""Slow, idle and oversized clients: how many connections, and what each has sent."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from shared.runtime.tasks import run_all

HOST = "127.0.0.1"
HEAD = b"POST /auth/viewer/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
# Takes the largest body of what anybody may send.
LARGER = HEAD.replace(b"/auth/viewer/register", b"/webhooks/livekit")
SENT = {
    "idle": b"",
    "an idle keep-alive": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "half a request line": b"GET /roo",
    "a head without end": HEAD + b"X-Slow: ",
    "a body that does not come": HEAD + b"Content-Length: 4000\r\n\r\n",
    "a large body that does not come": LARGER + b"Content-Length: 900000\r\n\r\n{",
    "a large body that ends too early": LARGER + b"Content-Length: 900000\r\n\r\n{" + b" " * 100_000,
    "a chunk that does not come": HEAD + b"Transfer-Encoding: chunked\r\n\r\nfa0\r\n",
}
IDLE = {"idle": 500, "an idle keep-alive": 500}
# Each more than the gateway has connections to a service: none may be held by a client that does not go on.
SLOW = {name: 300 for name in SENT if "idle" not in name}
# A head, then a body again and again; the gateway is to refuse each of them at once.
LARGE = {
    "a long line": (b"GET /rooms?" + b"q" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b""),
    "a long header": (b"GET /rooms HTTP/1.1\r\nHost: x\r\nCookie: " + b"c" * 60_000 + b"\r\n\r\n", b""),
    "many headers": (b"GET /rooms HTTP/1.1\r\nHost: x\r\n" + b"A: 1\r\n" * 5_000 + b"\r\n", b""),
    "a huge body": (HEAD + b"Content-Length: 10000000000\r\n\r\n", b"x" * 100_000),
    "chunks without end": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        b"10000\r\n" + b"x" * 65_536 + b"\r\n",
    ),
}
_LARGE_AT_ONCE = 4
_MOST_SENT = 4_000_000


@asynccontextmanager
async def connections(port: int, clients: Mapping[str, int]) -> AsyncIterator[list[asyncio.StreamWriter]]:
    """So many connections of each kind of `SENT`, which have sent what it says."""
    writers: list[asyncio.StreamWriter] = []
    try:
        for name, count in clients.items():
            for _ in range(count):
                _, writer = await asyncio.open_connection(HOST, port)
                writer.write(SENT[name])
                writers.append(writer)
        yield writers
    finally:
        for writer in writers:
            writer.transport.abort()


async def dribble(writers: list[asyncio.StreamWriter]) -> None:
    """A byte from each, again and again, until cancelled."""
    while True:
        for writer in writers:
            if not writer.is_closing():
                writer.write(b"1")
        await asyncio.sleep(0.2)


async def overload(port: int) -> None:
    """Requests that are too large, a few of each kind at once, again and again, until cancelled."""
    await run_all(*(_again(port, *large) for large in LARGE.values() for _ in range(_LARGE_AT_ONCE)))


async def _again(port: int, head: bytes, body: bytes) -> None:
    while True:
        _, writer = await asyncio.open_connection(HOST, port)
        try:
            await send(writer, head, body)
        finally:
            writer.transport.abort()


async def send(writer: asyncio.StreamWriter, head: bytes, body: bytes) -> None:
    """Send what is too large, and go on for 4 MB; the gateway may hang up before."""
    try:
        writer.write(head)
        await writer.drain()
        sent = 0
        while body and sent < _MOST_SENT:
            writer.write(body)
            sent += len(body)
            await writer.drain()
    except ConnectionError:
        return
