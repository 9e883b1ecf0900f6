"""What each process holds in memory, sampled while the run goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.stack import StackState
from tests.running_stack import RunningStack

EVERY = 2.0


@asynccontextmanager
async def sampled(stack: RunningStack) -> AsyncIterator[dict[str, list[float]]]:
    """Resident megabytes by component, growing while the block runs."""
    samples: dict[str, list[float]] = {}
    sampling = asyncio.create_task(_sample(stack, samples))
    try:
        yield samples
    finally:
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)


async def _sample(stack: RunningStack, samples: dict[str, list[float]]) -> None:
    while True:
        for name, state in StackState.load(stack.data.state_file).components.items():
            megabytes = resident(state.pid) if state.pid else None
            if megabytes is not None:
                samples.setdefault(name, []).append(megabytes)
        await asyncio.sleep(EVERY)


def resident(pid: int) -> float | None:
    """Megabytes, or None for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return None
    found = next((line for line in lines if line.startswith("VmRSS:")), None)
    return round(int(found.split()[1]) / 1024, 1) if found else None
