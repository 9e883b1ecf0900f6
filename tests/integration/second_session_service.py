"""A second replica of the session service beside that of the stack, which sends mails, too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.credentials import load_credentials
from deploy.local.data_dir import read_json
from tests.bench.ports import free_port
from tests.contract.api.replicas import session_settings
from tests.replica import replica
from tests.running_stack import RunningStack

STOP_SECONDS = 15.0


@asynccontextmanager
async def second_session(running: RunningStack, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Ready when this is entered, terminated when it is left."""
    port = free_port()
    settings = session_settings(running, port) | _mail_and_files(running)
    with (folder / "session.log").open("wb") as log:
        async with replica(
            "services.session", port, settings, output=log, stop_seconds=STOP_SECONDS
        ) as process:
            yield process


def _mail_and_files(running: RunningStack) -> dict[str, str]:
    ports = read_json(running.data.ports_file) or {}
    return {
        "GREENROOM_STORAGE_URL": running.data.data_of("storage").as_uri(),
        "GREENROOM_SMTP_URL": f"smtp://127.0.0.1:{ports['mail-smtp']}",
        "GREENROOM_MAIL_FROM": "Greenroom <reminders@greenroom.example>",
        "GREENROOM_CENTRIFUGO_SECRET": load_credentials(running.data).centrifugo_secret,
    }
