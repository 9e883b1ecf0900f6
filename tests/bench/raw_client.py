"""The lightest possible client: each connection sends its next request as soon as the last is answered.

A client library would cost as much as the server that is measured, on the same two cores.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import cast
from urllib.parse import urlsplit

from tests.bench.load import Load

# Seconds that an answer may take.
_PATIENCE = 30.0


class _Wire(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], seconds: list[float]):
        self._requests = requests
        self._seconds = seconds
        self._buffer = b""
        self._began = 0.0
        self._transport: asyncio.Transport | None = None
        self.statuses: set[bytes] = set()
        self.going = True
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or len(self._buffer) < end + 4 + _length(self._buffer[:end]):
            return
        self._seconds.append(time.perf_counter() - self._began)
        self.statuses.add(self._buffer[9:12])
        self._buffer = b""
        if self.going and self._transport is not None:
            self._send(self._transport)
        else:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish()

    def _send(self, transport: asyncio.Transport) -> None:
        self._began = time.perf_counter()
        transport.write(next(self._requests))

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
        if self._transport is not None:
            self._transport.close()


def _length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.index(b"content-length: ") + 16
    end = lowered.find(b"\r", start)
    return int(head[start : end if end > 0 else None])


async def hammer(
    url: str, *, at_once: int, seconds: float, tokens: Sequence[str] = (), status: int = 200
) -> Load:
    """GET `url` over `at_once` connections for so long, with these access tokens in turn.

    Raises `RuntimeError` where an answer was another.
    """
    requests = cycle([_get(url, token) for token in tokens] or [_get(url)])
    parts = urlsplit(url)
    times: list[float] = []
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: _Wire(requests, times), parts.hostname or "", parts.port or 80)
        for _ in range(at_once)
    ]
    wires = [wire for _, wire in made]
    times.clear()
    started = time.perf_counter()
    await asyncio.sleep(seconds)
    async with asyncio.timeout(_PATIENCE):
        while not times and not any(wire.done.done() for wire in wires):
            await asyncio.sleep(0.01)
    rate = len(times) / (time.perf_counter() - started)
    for wire in wires:
        wire.going = False
    await asyncio.wait_for(asyncio.gather(*(wire.done for wire in wires)), _PATIENCE)
    other = set().union(*(wire.statuses for wire in wires)) - {str(status).encode()}
    if other or not times:
        raise RuntimeError(f"{url} answered {other or 'nothing'}")
    return Load(rate, sorted(times))


def _get(url: str, token: str | None = None) -> bytes:
    parts = urlsplit(url)
    lines = [f"GET {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    return "\r\n".join([*lines, "", ""]).encode()
