"""What each process of Greenroom holds, sampled while a run goes on."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.running_stack import RunningStack

PROCESSES = ("gateway", "session", "egress", "attendance", "recorder", "relay")
_TASKS = re.compile(r"^greenroom_asyncio_tasks (\S+)$", re.MULTILINE)
_DEADLINE = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True)
class Sample:
    """`at`: seconds since the first. Memory in MB: `pss` counts what processes share once among them."""

    at: float
    pid: int
    pss: float
    rss: float
    descriptors: int
    tasks: int


Samples = dict[str, list[Sample]]


@asynccontextmanager
async def sampled(stack: RunningStack, every: float) -> AsyncIterator[Samples]:
    """By process; a sample each `every` seconds while the block runs. Raises what sampling raised."""
    samples: Samples = {name: [] for name in PROCESSES if name in stack.info.processes}
    sampling = asyncio.create_task(_sample(stack, every, samples))
    try:
        yield samples
        if sampling.done():
            sampling.result()
    finally:
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)


async def _sample(stack: RunningStack, every: float, samples: Samples) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with aiohttp.ClientSession(timeout=_DEADLINE) as http:
        while True:
            for name, kept in samples.items():
                process = stack.info.processes[name]
                tasks = await _tasks(http, process.port)
                at = loop.time() - began
                kept.append(Sample(at, process.pid, *memory(process.pid), descriptors(process.pid), tasks))
            await asyncio.sleep(every)


async def _tasks(http: aiohttp.ClientSession, port: int) -> int:
    async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
        found = _TASKS.search(await answer.text())
    if found is None:
        raise LookupError(f"the process on port {port} does not say how many tasks it has")
    return int(float(found.group(1)))


def memory(pid: int) -> tuple[float, float]:
    """Proportional and resident set in MB."""
    fields = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        if ":" in line and line.endswith(" kB")
    )
    pss, rss = (int(fields[name].split()[0]) / 1024 for name in ("Pss", "Rss"))
    return round(pss, 2), round(rss, 2)


def descriptors(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
