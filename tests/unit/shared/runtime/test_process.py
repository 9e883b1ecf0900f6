"""A service as a process: how it starts, ends, and says how it went."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest

DEADLINE = 60.0


@dataclass
class ExampleProcess:
    """The running process; `log` is what it wrote to stderr."""

    process: asyncio.subprocess.Process
    url: str

    async def ready(self, client: aiohttp.ClientSession) -> None:
        while True:
            try:
                async with client.get(f"{self.url}/readyz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                assert self.process.returncode is None
            await asyncio.sleep(0.02)

    async def line(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().strip()

    async def ended(self) -> tuple[int, str]:
        """Its exit status, and all that it logged."""
        _, log = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, log.decode()


@asynccontextmanager
async def example(*how: str, **environment: str) -> AsyncIterator[ExampleProcess]:
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.unit.shared.example_process",
        *how,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"GREENROOM_PORT": str(port)} | environment,
    )
    try:
        async with asyncio.timeout(DEADLINE):
            yield ExampleProcess(process, f"http://127.0.0.1:{port}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


async def test_metrics_may_have_a_port_of_their_own() -> None:
    port = _free_port()
    async with (
        example("lasts", GREENROOM_METRICS_PORT=str(port)) as running,
        aiohttp.ClientSession() as client,
    ):
        await running.ready(client)
        async with client.get(f"http://127.0.0.1:{port}/metrics") as response:
            assert "greenroom_ready 1.0" in await response.text()
        async with client.get(f"{running.url}/metrics") as response:
            assert response.status == 404
        async with client.get(f"http://127.0.0.1:{port}/slow") as response:
            assert response.status == 404
        running.process.send_signal(signal.SIGTERM)
        assert (await running.ended())[0] == 0


async def test_a_port_of_metrics_that_is_taken_ends_it() -> None:
    """Rather than leave it unwatched."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with example("lasts", GREENROOM_METRICS_PORT=str(taken.getsockname()[1])) as running:
            status, log = await running.ended()
    assert status == 1
    assert "address already in use" in log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_when_the_requests_are_done(number: signal.Signals) -> None:
    async with example("lasts") as running, aiohttp.ClientSession() as client:
        await running.ready(client)
        request = asyncio.create_task(client.get(f"{running.url}/slow"))
        assert await running.line() == "begun"
        running.process.send_signal(number)
        assert (await request).status == 200
        assert await running.line() == "closed"
        status, log = await running.ended()
    assert status == 0
    lines = [json.loads(line) for line in log.splitlines()]
    assert {line["service"] for line in lines} == {"example"}
    life = [line["event"] for line in lines if line["event"].startswith("service.")]
    assert life == ["service.listening", "service.stopping", "service.stopped"]
    (answered,) = [line for line in lines if line["event"] == "http.request" and line["path"] == "/slow"]
    assert (answered["status"], answered["operation"]) == (200, "GET /slow")
    assert answered["request_id"]


async def test_readiness_goes_off_before_the_door_closes() -> None:
    async with (
        example("lasts", GREENROOM_READINESS_DELAY_SECONDS="1") as running,
        aiohttp.ClientSession() as client,
    ):
        await running.ready(client)
        running.process.send_signal(signal.SIGTERM)
        while True:
            async with client.get(f"{running.url}/readyz") as response:
                if response.status == 503:
                    assert response.headers["Connection"] == "close"
                    break
                assert "Connection" not in response.headers
        async with client.get(f"{running.url}/healthz") as response:
            assert response.status == 200
        assert (await running.ended())[0] == 0


@pytest.mark.parametrize("how", ["dies", "is_cancelled", "returns"])
async def test_a_task_that_ends_ends_the_process_with_an_error(how: str) -> None:
    async with example(how) as running:
        assert await running.line() == "closed"
        status, log = await running.ended()
    assert status == 1
    assert "task.ended" in log
    assert "doomed" in log


IMPATIENT = {"GREENROOM_DRAIN_SECONDS": "0", "GREENROOM_CLOSE_SECONDS": "1"}


async def test_a_stop_that_hangs_on_an_answer_ends_and_says_where() -> None:
    async with (
        example("lasts", "awaits_no_answer", **IMPATIENT) as running,
        aiohttp.ClientSession() as client,
    ):
        await running.ready(client)
        running.process.send_signal(signal.SIGTERM)
        status, log = await running.ended()
    assert status == 1
    (overdue,) = [json.loads(line) for line in log.splitlines() if "service.stop_overdue" in line]
    assert overdue["seconds"] == 1
    assert any(place.endswith(" awaits_no_answer") for place in overdue["hung"])


@pytest.mark.parametrize("hangs", ["leaves_a_task", "leaves_a_thread", "leaves_a_call", "blocks"])
async def test_nothing_that_is_left_keeps_a_failed_process_alive(hangs: str) -> None:
    async with example("dies", hangs, **IMPATIENT) as running:
        status, log = await running.ended()
    assert status == 1
    assert "service.stopping" in log
    assert "most recent call first" in log, "where each thread hung"


async def test_a_service_that_cannot_listen_ends_whatever_it_began() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        async with example("begins", "leaves_a_task", GREENROOM_PORT=port, **IMPATIENT) as running:
            status, log = await running.ended()
    assert status == 1
    assert "address already in use" in log


async def test_bad_settings_are_told_in_a_line() -> None:
    async with example("lasts", GREENROOM_LOG_LEVEL="LOUD") as running:
        status, log = await running.ended()
    assert status == 1
    assert "greenroom example: the settings are refused" in log
    assert "GREENROOM_LOG_LEVEL" in log
    assert "Traceback" not in log
