"""One more recorder beside that of the stack, with a spool of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from shared.ids import new_id
from tests.bench.ports import free_port
from tests.replica import replica
from tests.running_stack import RunningStack

STOP_SECONDS = 12.0


@asynccontextmanager
async def second_recorder(running: RunningStack, folder: Path) -> AsyncIterator[int]:
    """Ready when this is entered, terminated when it is left; its process id."""
    port = free_port()
    settings = environment(running, folder / "spool", port)
    with (folder / "recorder.log").open("wb") as log:
        async with replica(
            "services.recorder", port, settings, output=log, stop_seconds=STOP_SECONDS
        ) as process:
            yield process.pid


def environment(running: RunningStack, spool: Path, port: int) -> dict[str, str]:
    """The settings of the stack's own recorder, save for its spool and its port."""
    info = running.info
    return {
        "GREENROOM_PORT": str(port),
        "GREENROOM_SPOOL": str(spool),
        "GREENROOM_MONGODB_URI": info.mongodb.egress,
        "GREENROOM_MONGODB_EXPIRY": "false",
        "GREENROOM_LIVEKIT_URL": info.livekit_url,
        "GREENROOM_LIVEKIT_API_URL": info.livekit_url.replace("ws://", "http://"),
        "GREENROOM_LIVEKIT_API_KEY": info.livekit_api_key,
        "GREENROOM_LIVEKIT_API_SECRET": info.livekit_api_secret,
        "GREENROOM_EGRESS_URL": f"http://127.0.0.1:{info.processes['egress'].port}",
        "GREENROOM_STORAGE_URL": running.data.data_of("storage").as_uri(),
        "GREENROOM_INTERNAL_SECRET": new_id(),
    }
