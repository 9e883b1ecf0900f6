"""Generating load: as fast as so many at once can, or at a steady rate."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

Call = Callable[[int], Awaitable[object]]


@dataclass(frozen=True)
class Load:
    """How it went: calls a second, and each call's seconds in ascending order."""

    rate: float
    seconds: Sequence[float]

    def percentile(self, share: float) -> float:
        """Milliseconds within which `share` (0 to 1) of the calls were answered."""
        return self.seconds[min(len(self.seconds) - 1, int(len(self.seconds) * share))] * 1000


async def closed(calls: int, at_once: int, call: Call) -> Load:
    """`calls` calls, `at_once` of them in flight all the time."""
    numbers = iter(range(calls))
    seconds: list[float] = []

    async def worker() -> None:
        seconds.extend([await _timed(call, number) for number in numbers])

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    return Load(calls / (time.perf_counter() - started), sorted(seconds))


async def steady(calls: int, per_second: float, call: Call) -> Load:
    """`calls` calls begun at a steady rate, whether earlier ones are answered or not.

    Each is timed from when it was due, so that falling behind shows.
    """
    loop = asyncio.get_running_loop()
    started = loop.time() + 0.05

    async def one(number: int) -> float:
        due = started + number / per_second
        await asyncio.sleep(max(0.0, due - loop.time()))
        await call(number)
        return loop.time() - due

    seconds = await asyncio.gather(*(one(number) for number in range(calls)))
    return Load(calls / (loop.time() - started), sorted(seconds))


async def _timed(call: Call, number: int) -> float:
    started = time.perf_counter()
    await call(number)
    return time.perf_counter() - started
