"""The latency of reads while the gateway has slow, idle or oversized clients."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass

import aiohttp

from deploy.local.stack import Stack
from tests.fuzz.slow_clients import IDLE, SLOW, connections, dribble, overload

READS = 300
_DEADLINE = aiohttp.ClientTimeout(total=60)
# Besides five times what a read takes alone: the machine may be busy, but a gateway that is held waits 10 s.
_PATIENCE_MS = 1000.0


@dataclass(frozen=True)
class ReadLatency:
    """Reads beside other clients, in milliseconds; `failed` counts other answers than 200."""

    beside: str
    reads: int
    failed: int
    p50_ms: float
    p99_ms: float

    def fault(self, alone: "ReadLatency") -> str | None:
        if self.failed:
            return f"beside {self.beside}, {self.failed} of {self.reads} reads failed"
        if self.p99_ms > _PATIENCE_MS + 5 * alone.p99_ms:
            return f"beside {self.beside}, a read takes {self.p99_ms:.0f} ms at p99"
        return None


async def measure(stack: Stack, reads: int = READS) -> list[ReadLatency]:
    """First alone, then beside each group of clients."""
    port = stack.processes["gateway"].port
    client_groups: dict[str, AbstractAsyncContextManager[object]] = {
        "nobody": nullcontext(),
        f"{sum(IDLE.values()):,} idle connections": connections(port, IDLE),
        f"{sum(SLOW.values()):,} slow heads and bodies": _slow(port, SLOW),
        "heads and bodies without end": _large(port),
    }
    found = []
    for beside, clients in client_groups.items():
        async with clients, aiohttp.ClientSession(stack.base_url, timeout=_DEADLINE) as http:
            found.append(await _reads(http, beside, reads))
    return found


def faults(served: Sequence[ReadLatency]) -> list[str]:
    return [fault for one in served if (fault := one.fault(served[0]))]


@asynccontextmanager
async def _slow(port: int, clients: Mapping[str, int]) -> AsyncIterator[None]:
    async with connections(port, clients) as writers:
        dribbling = asyncio.create_task(dribble(writers))
        try:
            yield
        finally:
            dribbling.cancel()


@asynccontextmanager
async def _large(port: int) -> AsyncIterator[None]:
    sending = asyncio.create_task(overload(port))
    try:
        yield
        if sending.done():
            sending.result()
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def _reads(http: aiohttp.ClientSession, beside: str, reads: int) -> ReadLatency:
    took: list[float] = []
    failed = 0
    for _ in range(reads):
        began = time.perf_counter()
        failed += not await _read(http)
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    return ReadLatency(beside, reads, failed, round(took[reads // 2], 1), round(took[int(reads * 0.99)], 1))


async def _read(http: aiohttp.ClientSession) -> bool:
    try:
        async with http.get("/sessions", params={"limit": 1}) as answer:
            await answer.read()
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
