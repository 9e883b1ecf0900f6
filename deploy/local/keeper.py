"""Keeps one component running: starts it, waits until it is ready, restarts it when it dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from deploy.local.backoff import Backoff
from deploy.local.child import Child, Spawn
from deploy.local.component import Component

PROBE_EVERY_SECONDS = 0.1
HELD_POLL_SECONDS = 0.1
# What the dead one left behind lets go of its port within this many looks.
TAKEN_LOOKS = 10
START_ATTEMPTS = 3
LINES_SHOWN = 12


class StartFailed(Exception):
    """A component ended again and again before it was ever ready."""

    def __init__(self, name: str, status: int, lines: list[str]) -> None:
        told = "\n".join(f"    {line}" for line in lines) or "    (it wrote nothing)"
        super().__init__(f"{name} does not start (exit status {status}). Its last lines:\n{told}")


class Reporter(Protocol):
    """Who is told what happens to a component."""

    def starting(self, name: str, pid: int) -> None: ...
    def ready(self, name: str, seconds: float) -> None: ...
    def exited(self, name: str, status: int, lines: list[str], restart_in: float) -> None: ...
    def held(self, name: str) -> None: ...
    def taken(self, name: str) -> None: ...
    def stopped(self, name: str) -> None: ...


class Keeper:
    """The life of one component. `held` says whether it is to stay down, `taken` whether a process that is
    not ours listens on its port; `ready` is set when it first is."""

    def __init__(
        self,
        component: Component,
        spawn: Spawn,
        reporter: Reporter,
        held: Callable[[str], bool],
        taken: Callable[[Component], bool],
    ) -> None:
        self.component = component
        self.ready = asyncio.Event()
        self._spawn = spawn
        self._reporter = reporter
        self._held = held
        self._taken = taken
        self._backoff = Backoff()
        self._child: Child | None = None
        self._failures = 0

    async def run(self) -> None:
        """Run until cancelled. Raises StartFailed where the component never becomes ready."""
        name = self.component.name
        while True:
            await self._while_held()
            await self._while_taken()
            started = _now()
            self._child = child = await self._spawn(self.component)
            self._reporter.starting(name, child.pid)
            status = await self._watch(child, started)
            self._child = None
            if not self.ready.is_set():
                self._count_failure(status, child)
            delay = self._backoff.after(_now() - started)
            self._reporter.exited(name, status, child.last_lines(LINES_SHOWN), delay)
            await asyncio.sleep(delay)

    async def stop(self) -> None:
        """End the child. The task of `run` must have been cancelled before."""
        if self._child is not None:
            await self._child.stop()
            self._child = None
        self._reporter.stopped(self.component.name)

    async def _watch(self, child: Child, started: float) -> int:
        """Probe until the component answers; its exit status once it has ended."""
        probing = asyncio.create_task(self._until_ready(started))
        exited = asyncio.create_task(child.wait())
        try:
            await asyncio.wait({probing, exited}, return_when=asyncio.FIRST_COMPLETED)
            if probing.done():
                probing.result()
            return await exited
        finally:
            probing.cancel()
            exited.cancel()

    async def _until_ready(self, started: float) -> None:
        while not await self.component.probe(self.component.port):  # noqa: ASYNC110 - asks another process
            await asyncio.sleep(PROBE_EVERY_SECONDS)
        self.ready.set()
        self._reporter.ready(self.component.name, _now() - started)

    async def _while_held(self) -> None:
        if self._held(self.component.name):
            self._reporter.held(self.component.name)
        while self._held(self.component.name):  # noqa: ASYNC110 - another process lets go
            await asyncio.sleep(HELD_POLL_SECONDS)

    async def _while_taken(self) -> None:
        """Whoever starts a component by hand keeps it for as long as it runs."""
        looks = 0
        while self._taken(self.component):
            looks += 1
            if looks == TAKEN_LOOKS:
                self._reporter.taken(self.component.name)
            await asyncio.sleep(HELD_POLL_SECONDS)

    def _count_failure(self, status: int, child: Child) -> None:
        self._failures += 1
        if self._failures >= START_ATTEMPTS:
            raise StartFailed(self.component.name, status, child.last_lines(LINES_SHOWN))


def _now() -> float:
    return asyncio.get_running_loop().time()
