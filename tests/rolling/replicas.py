"""Two replicas of each service in the place of the stack's own, each behind a proxy on the stack's port."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.bench.ports import free_port
from tests.replica import settings_of
from tests.rolling.service_proxy import ServiceProxy
from tests.running_stack import RunningStack

SERVICES = ("gateway", "session", "egress", "attendance")
EACH = 2
READY_SECONDS = 240.0
# Past this a process is killed, and its exit counts as failed.
STOP_SECONDS = 60.0
# Long enough for the proxy to hear of it, and for connections that are in use to be closed.
DELAY_SECONDS = 2.0


@dataclass(frozen=True)
class Exit:
    """How a replica stopped: seconds from SIGTERM, and its status. Times are Unix seconds."""

    name: str
    began: float
    seconds: float
    status: int
    replaced_after: float


class Replica:
    """One process of a service."""

    def __init__(self, name: str, settings: Mapping[str, str], log: IO[bytes]):
        self.name = name
        self.port = free_port()
        self._settings = settings
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        own = {
            "GREENROOM_PORT": str(self.port),
            "GREENROOM_READINESS_DELAY_SECONDS": str(DELAY_SECONDS),
        }
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"services.{self.name}"),
            env=os.environ | self._settings | own,
            stdout=self._log,
            stderr=self._log,
        )

    async def stop(self) -> tuple[float, int]:
        """SIGTERM; the seconds until it ended, and its status."""
        assert self._process is not None
        began = time.monotonic()
        if self._process.returncode is None:
            self._process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        return time.monotonic() - began, self._process.returncode or 0


class Deployment:
    """The replicas of all services, and the proxies before them."""

    def __init__(self, running: RunningStack, log: IO[bytes]):
        self._running = running
        self._log = log
        self._settings = {name: settings_of(running, name) for name in SERVICES}
        self.replicas: dict[str, list[Replica]] = {
            name: [self._replica(name) for _ in range(EACH)] for name in SERVICES
        }
        self._proxies = {name: ServiceProxy(running.info.processes[name].port) for name in SERVICES}

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Deployment"]:
        """All ready when this is entered. The stack's own services are held meanwhile."""
        async with AsyncExitStack() as stack:
            await asyncio.gather(*(stack.enter_async_context(self._running.held(name)) for name in SERVICES))
            stack.push_async_callback(self._stop)
            for proxy in self._proxies.values():
                await stack.enter_async_context(proxy.listening())
            every = [replica for replicas in self.replicas.values() for replica in replicas]
            await asyncio.gather(*(self._start(replica) for replica in every))
            yield self

    async def replace(self, name: str, number: int) -> Exit:
        """Stop one replica, while the one that takes its place starts; returns when that one is ready."""
        old, new = self.replicas[name][number], self._replica(name)
        began, clock = time.time(), time.monotonic()
        self.replicas[name][number] = new
        leaving = self._proxies[name].leave(old.port)
        _, _, (seconds, status) = await asyncio.gather(self._start(new), leaving, old.stop())
        return Exit(f"{name} {number + 1}", began, seconds, status, time.monotonic() - clock)

    def _replica(self, name: str) -> Replica:
        return Replica(name, self._settings[name], self._log)

    async def _start(self, replica: Replica) -> None:
        await replica.start()
        await self._proxies[replica.name].join(replica.port, READY_SECONDS)

    async def _stop(self) -> None:
        await asyncio.gather(*(replica.stop() for replicas in self.replicas.values() for replica in replicas))


@asynccontextmanager
async def deployed(running: RunningStack, folder: Path) -> AsyncIterator[Deployment]:
    """Two replicas of each service on the stack's addresses; what they log goes to the folder."""
    with (folder / "replicas.log").open("wb") as log:
        async with Deployment(running, log).running() as deployment:
            yield deployment
