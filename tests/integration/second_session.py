"""A second replica of the session service beside that of the stack."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from deploy.local import probes
from deploy.local.credentials import load_credentials
from deploy.local.files import read_json
from deploy.local.running import RunningStack
from tests.bench.ports import free_port

READY_SECONDS, STOP_SECONDS = 40.0, 15.0


@asynccontextmanager
async def second_session(running: RunningStack, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Ready when this is entered, terminated when it is left."""
    port = free_port()
    with (folder / "session.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.session"),
            env=os.environ | environment(running, port),
            stdout=log,
            stderr=log,
        )
        try:
            async with asyncio.timeout(READY_SECONDS):
                while not await probes.readyz(port):
                    await asyncio.sleep(0.1)
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


def environment(running: RunningStack, port: int) -> dict[str, str]:
    """The settings of the stack's own session service, save for its port."""
    info, credentials = running.info, load_credentials(running.data)
    ports = read_json(running.data.ports_file) or {}
    return {
        "GREENROOM_PORT": str(port),
        "GREENROOM_MONGODB_URI": info.mongodb.session,
        "GREENROOM_AMQP_URL": info.amqp_url,
        "GREENROOM_LIVEKIT_URL": info.livekit_url,
        "GREENROOM_LIVEKIT_API_URL": info.livekit_url.replace("ws://", "http://"),
        "GREENROOM_LIVEKIT_API_KEY": info.livekit_api_key,
        "GREENROOM_LIVEKIT_API_SECRET": info.livekit_api_secret,
        "GREENROOM_EGRESS_URL": f"http://127.0.0.1:{info.processes['egress'].port}",
        "GREENROOM_STORAGE_URL": running.data.data_of("storage").as_uri(),
        "GREENROOM_PUBLIC_URL": info.base_url,
        "GREENROOM_SMTP_URL": f"smtp://127.0.0.1:{ports['mail-smtp']}",
        "GREENROOM_MAIL_FROM": "Greenroom <reminders@greenroom.example>",
        "GREENROOM_IDENTITY_SIGNING_KID": credentials.identity_kid,
        "GREENROOM_IDENTITY_PRIVATE_KEY": credentials.identity_private_key,
        "GREENROOM_IDENTITY_PUBLIC_KEYS": json.dumps(
            {credentials.identity_kid: credentials.identity_public_key}
        ),
        "GREENROOM_REFRESH_SECRET": credentials.refresh_secret,
        "GREENROOM_KEYRING": json.dumps({credentials.keyring_id: credentials.keyring_key}),
        "GREENROOM_CENTRIFUGO_SECRET": credentials.centrifugo_secret,
        "GREENROOM_INTERNAL_SECRET": credentials.internal_secret,
    }
