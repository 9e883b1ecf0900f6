"""A second session service beside that of the stack, as an installation with several has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.local.credentials import load_credentials
from tests.bench.ports import free_port
from tests.contract.api.client import Client, connect
from tests.replica import replica
from tests.running_stack import RunningStack

STOP_SECONDS = 12.0


@asynccontextmanager
async def second_session_service(running: RunningStack) -> AsyncIterator[int]:
    """Ready on the port that this yields, terminated when it is left."""
    port = free_port()
    settings = session_settings(running, port)
    silent = asyncio.subprocess.DEVNULL
    async with replica("services.session", port, settings, output=silent, stop_seconds=STOP_SECONDS):
        yield port


@asynccontextmanager
async def both_session_services(running: RunningStack) -> AsyncIterator[tuple[Client, Client]]:
    """Clients of the two, each reached directly."""
    async with second_session_service(running) as port:
        ports = (running.info.processes["session"].port, port)
        first, second = (connect(f"http://127.0.0.1:{one}") for one in ports)
        async with first, second:
            yield Client(first), Client(second)


def session_settings(running: RunningStack, port: int) -> dict[str, str]:
    """The settings of the stack's own, save for the port."""
    info, credentials = running.info, load_credentials(running.data)
    return {
        "GREENROOM_PORT": str(port),
        "GREENROOM_MONGODB_URI": info.mongodb.session,
        "GREENROOM_MONGODB_EXPIRY": "false",
        "GREENROOM_AMQP_URL": info.amqp_url,
        "GREENROOM_LIVEKIT_URL": info.livekit_url,
        "GREENROOM_LIVEKIT_API_URL": info.livekit_url.replace("ws://", "http://"),
        "GREENROOM_LIVEKIT_API_KEY": info.livekit_api_key,
        "GREENROOM_LIVEKIT_API_SECRET": info.livekit_api_secret,
        "GREENROOM_EGRESS_URL": f"http://127.0.0.1:{info.processes['egress'].port}",
        "GREENROOM_PUBLIC_URL": info.base_url,
        "GREENROOM_INTERNAL_SECRET": credentials.internal_secret,
        "GREENROOM_IDENTITY_PUBLIC_KEYS": json.dumps(
            {credentials.identity_kid: credentials.identity_public_key}
        ),
        "GREENROOM_IDENTITY_SIGNING_KID": credentials.identity_kid,
        "GREENROOM_IDENTITY_PRIVATE_KEY": credentials.identity_private_key,
        "GREENROOM_REFRESH_SECRET": credentials.refresh_secret,
        "GREENROOM_KEYRING": json.dumps({credentials.keyring_id: credentials.keyring_key}),
    }
