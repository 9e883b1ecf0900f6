"""One more process of a service beside that of the stack."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO

from deploy.local import probes
from tests.running_stack import RunningStack

READY_SECONDS = 90.0
Output = IO[bytes] | int


def settings_of(running: RunningStack, name: str) -> dict[str, str]:
    """The settings that a process of the stack was started with."""
    environment = Path(f"/proc/{running.info.processes[name].pid}/environ").read_text()
    settings = (line.partition("=") for line in environment.split("\0"))
    return {key: value for key, _, value in settings if key.startswith("GREENROOM_")}


@asynccontextmanager
async def replica(
    module: str, port: int, environment: Mapping[str, str], *, output: Output, stop_seconds: float
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m module`, perhaps with arguments: ready on the port when entered, terminated when left."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *module.split()), env=os.environ | environment, stdout=output, stderr=output
    )
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not await probes.readyz(port):
                await asyncio.sleep(0.1)
        yield process
    finally:
        await _stop(process, stop_seconds)


async def _stop(process: asyncio.subprocess.Process, seconds: float) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
