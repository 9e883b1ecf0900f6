"""Whether a component is up: one request in its own protocol, without a driver.

Every probe returns True or False and never raises for a server that is down, slow or still starting.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable

from deploy.local.ports import LOOPBACK

Probe = Callable[[int], Awaitable[bool]]

PROBE_SECONDS = 2.0
# Version 3 and 1,536 bytes that the server echoes.
RTMP_GREETING = b"\x03" + bytes(1536)
AMQP_GREETING = b"AMQP\x00\x00\x09\x01"
OP_MSG = 2013


async def _answers(port: int, question: bytes, accept: Callable[[bytes], bool]) -> bool:
    """Whether the answer to this request, sent over a new connection, is accepted."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(question)
                await writer.drain()
                return accept(await reader.read(4096))
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


async def redis(port: int) -> bool:
    return await _answers(port, b"PING\r\n", lambda answer: answer.startswith(b"+PONG"))


async def amqp(port: int) -> bool:
    """RabbitMQ opens its listeners last; a Connection.Start method frame says that it is up."""
    return await _answers(port, AMQP_GREETING, lambda answer: answer[:1] == b"\x01")


async def mongodb(port: int) -> bool:
    return await _answers(
        port, _hello(), lambda answer: b"isWritablePrimary" in answer or b"ismaster" in answer
    )


async def epmd(port: int) -> bool:
    """A names request; the answer begins with epmd's own port."""
    return await _answers(port, b"\x00\x01n", lambda answer: answer[:4] == struct.pack(">I", port))


async def rtmp(port: int) -> bool:
    return await _answers(port, RTMP_GREETING, lambda answer: answer[:1] == b"\x03")


async def http_root(port: int) -> bool:
    return await _http(port, "/")


async def readyz(port: int) -> bool:
    return await _http(port, "/readyz")


async def _http(port: int, path: str) -> bool:
    request = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nConnection: close\r\n\r\n"
    return await _answers(port, request.encode(), lambda answer: answer[9:12] == b"200")


def _hello() -> bytes:
    """An OP_MSG with `{hello: 1, $db: "admin"}`, written out."""
    fields = b"\x10hello\x00" + struct.pack("<i", 1) + b"\x02$db\x00" + struct.pack("<i", 6) + b"admin\x00"
    document = struct.pack("<i", len(fields) + 5) + fields + b"\x00"
    body = struct.pack("<I", 0) + b"\x00" + document
    return struct.pack("<iiii", len(body) + 16, 1, 0, OP_MSG) + body


PROBES: dict[str, Probe] = {
    "mongodb-session": mongodb,
    "mongodb-egress": mongodb,
    "mongodb-attendance": mongodb,
    "epmd": epmd,
    "rabbitmq": amqp,
    "redis": redis,
    "mail": http_root,
    "livekit": http_root,
    "rtmp": rtmp,
}


async def answers(name: str, port: int) -> bool:
    """Whether the component of this name is ready on this port."""
    return await PROBES.get(name, readyz)(port)
