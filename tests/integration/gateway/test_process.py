"""`python -m services.gateway`: its settings, its signals and its end."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientError, ClientSession, web

from tests.integration.gateway.fixtures import FakeService

_DEADLINE = 20


@asynccontextmanager
async def process(**settings: str) -> AsyncIterator[Process]:
    env = os.environ | {f"GREENROOM_{name.upper()}": value for name, value in settings.items()}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.gateway", env=env, stderr=PIPE
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
            await child.communicate()


async def test_a_request_in_hand_is_finished_before_the_process_ends() -> None:
    session, started, go_on = FakeService("session"), asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        if request.path != "/rooms":  # what the gateway itself asks
            return web.Response(status=404)
        started.set()
        await go_on.wait()
        return web.Response(text="done")

    session.handler = slow
    await session.start()
    port = _free_port()
    try:
        async with (
            process(port=str(port), session_url=session.url) as child,
            ClientSession(f"http://127.0.0.1:{port}") as http,
        ):
            await _ready(http)
            call = asyncio.create_task(_text(http))
            await asyncio.wait_for(started.wait(), _DEADLINE)
            child.terminate()
            await _refused(port)
            go_on.set()
            assert await asyncio.wait_for(call, _DEADLINE) == "done"
            _, errors = await asyncio.wait_for(child.communicate(), _DEADLINE)
            assert child.returncode == 0
            assert b'"route":"/rooms"' in errors
    finally:
        await session.stop()


@pytest.mark.parametrize(
    ("setting", "value"), [("session_url", "nonsense"), ("environment", "production"), ("port", "many")]
)
async def test_bad_settings_end_the_process_with_a_line_that_names_them(setting: str, value: str) -> None:
    async with process(**{setting: value}) as child:
        _, errors = await asyncio.wait_for(child.communicate(), _DEADLINE)
    assert child.returncode == 1
    assert errors.startswith(b"greenroom gateway: ")
    assert b"Traceback" not in errors


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def _text(http: ClientSession) -> str:
    async with http.get("/rooms") as answer:
        return await answer.text()


async def _ready(http: ClientSession) -> None:
    async with asyncio.timeout(_DEADLINE):
        while True:
            try:
                async with http.get("/readyz") as answer:
                    assert answer.status == 200
                    return
            except ClientError:
                await asyncio.sleep(0.05)


async def _refused(port: int) -> None:
    """Wait until nobody takes new connections there."""
    async with asyncio.timeout(_DEADLINE):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                return
            writer.close()
            await asyncio.sleep(0.02)
