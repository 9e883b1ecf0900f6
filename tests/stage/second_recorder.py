"""One more recorder beside that of the stack, with a spool of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from deploy.local import probes
from deploy.local.running import RunningStack
from shared.ids import new_id
from tests.bench.ports import free_port

READY_SECONDS = 40.0
STOP_SECONDS = 12.0


@asynccontextmanager
async def second_recorder(running: RunningStack, folder: Path) -> AsyncIterator[int]:
    """Ready when this is entered, terminated when it is left; its process id."""
    port = free_port()
    log = (folder / "recorder.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.egress.recorder"),
        env=os.environ | environment(running, folder / "spool", port),
        stdout=log,
        stderr=log,
    )
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not await probes.readyz(port):
                await asyncio.sleep(0.1)
        yield process.pid
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        log.close()


def environment(running: RunningStack, spool: Path, port: int) -> dict[str, str]:
    """The settings of the stack's own recorder, save for its spool and its port."""
    info = running.info
    return {
        "GREENROOM_PORT": str(port),
        "GREENROOM_SPOOL": str(spool),
        "GREENROOM_MONGODB_URI": info.mongodb.egress,
        "GREENROOM_LIVEKIT_URL": info.livekit_url,
        "GREENROOM_LIVEKIT_API_URL": info.livekit_url.replace("ws://", "http://"),
        "GREENROOM_LIVEKIT_API_KEY": info.livekit_api_key,
        "GREENROOM_LIVEKIT_API_SECRET": info.livekit_api_secret,
        "GREENROOM_EGRESS_URL": f"http://127.0.0.1:{info.processes['egress'].port}",
        "GREENROOM_STORAGE_URL": running.data.data_of("storage").as_uri(),
        "GREENROOM_INTERNAL_SECRET": new_id(),
    }
