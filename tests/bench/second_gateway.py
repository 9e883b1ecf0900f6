"""A second gateway before the same services, as an installation with several has."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from deploy.local.credentials import load_credentials
from tests.bench.ports import free_port
from tests.running_stack import RunningStack

_DEADLINE = 20.0


@asynccontextmanager
async def second_gateway(stack: RunningStack) -> AsyncIterator[str]:
    """Its address, once it answers."""
    info, port, credentials = stack.info, free_port(), load_credentials(stack.data)
    urls = {
        f"GREENROOM_{name.upper()}_URL": f"http://127.0.0.1:{info.processes[name].port}"
        for name in ("session", "egress", "attendance")
    }
    env = (
        os.environ
        | urls
        | {
            "GREENROOM_PORT": str(port),
            "GREENROOM_REDIS_URL": info.redis_url,
            "GREENROOM_INTERNAL_SECRET": credentials.internal_secret,
            "GREENROOM_IDENTITY_PUBLIC_KEYS": json.dumps(
                {credentials.identity_kid: credentials.identity_public_key}
            ),
        }
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.gateway"), env=env, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await _answering(f"http://127.0.0.1:{port}/rooms")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _answering(url: str) -> None:
    async with asyncio.timeout(_DEADLINE), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
