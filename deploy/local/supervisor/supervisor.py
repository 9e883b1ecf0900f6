"""Runs all components: starts each when what it needs is ready, restarts it when it dies."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from deploy.local import StackError, probes
from deploy.local.process import Child, Spawn, StackComponent, Tier

FIRST_SECONDS, LAST_SECONDS, HEALTHY_SECONDS = 0.25, 30.0, 10.0
PROBE_EVERY_SECONDS = 0.1
HELD_POLL_SECONDS = 0.1
# Helpers that outlive a dead component release its port within this many checks.
TAKEN_CHECKS = 10
START_ATTEMPTS = 3
LINES_SHOWN = 12

# Whether the component of this name is ready on this port.
Probe = Callable[[str, int], Awaitable[bool]]


class RestartBackoff:
    """A quarter of a second, then double up to 30 s; a life of 10 s starts over."""

    def __init__(self) -> None:
        self._next = FIRST_SECONDS

    def after(self, lived: float) -> float:
        """The seconds to wait after a process that lived this many seconds."""
        if lived >= HEALTHY_SECONDS:
            self._next = FIRST_SECONDS
        delay, self._next = self._next, min(self._next * 2, LAST_SECONDS)
        return delay


class StartFailed(StackError):
    """A component ended several times before it was ever ready."""

    def __init__(self, name: str, status: int, lines: list[str]) -> None:
        output = "\n".join(f"    {line}" for line in lines) or "    (it wrote nothing)"
        super().__init__(f"{name} does not start (exit status {status}). Its last lines:\n{output}")


class Reporter(Protocol):
    """Receives the lifecycle events of components."""

    def starting(self, name: str, pid: int) -> None: ...
    def ready(self, name: str, seconds: float) -> None: ...
    def exited(self, name: str, status: int, lines: list[str], restart_in: float) -> None: ...
    def held(self, name: str) -> None: ...
    def taken(self, name: str) -> None: ...
    def stopped(self, name: str) -> None: ...


class ComponentRunner:
    """Keeps one component running. `held` says whether it is to stay down, `taken` whether a process that is
    not ours listens on its port; `ready` is set when `probe` first finds it ready."""

    def __init__(
        self,
        component: StackComponent,
        spawn: Spawn,
        reporter: Reporter,
        *,
        held: Callable[[str], bool],
        taken: Callable[[StackComponent], bool],
        probe: Probe,
    ) -> None:
        self.component = component
        self.ready = asyncio.Event()
        self._spawn = spawn
        self._reporter = reporter
        self._held = held
        self._taken = taken
        self._probe = probe
        self._backoff = RestartBackoff()
        self._child: Child | None = None
        self._failures = 0

    async def run(self) -> None:
        """Run until cancelled. Raises StartFailed if the component never becomes ready."""
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
        name, port = self.component.name, self.component.port
        while not await self._probe(name, port):  # noqa: ASYNC110 - asks another process
            await asyncio.sleep(PROBE_EVERY_SECONDS)
        self.ready.set()
        self._reporter.ready(name, _now() - started)

    async def _while_held(self) -> None:
        if self._held(self.component.name):
            self._reporter.held(self.component.name)
        while self._held(self.component.name):  # noqa: ASYNC110 - another process releases it
            await asyncio.sleep(HELD_POLL_SECONDS)

    async def _while_taken(self) -> None:
        """A component that somebody started by hand is left to them for as long as it runs."""
        checks = 0
        while self._taken(self.component):
            checks += 1
            if checks == TAKEN_CHECKS:
                self._reporter.taken(self.component.name)
            await asyncio.sleep(HELD_POLL_SECONDS)

    def _count_failure(self, status: int, child: Child) -> None:
        self._failures += 1
        if self._failures >= START_ATTEMPTS:
            raise StartFailed(self.component.name, status, child.last_lines(LINES_SHOWN))


def _now() -> float:
    return asyncio.get_running_loop().time()


class StackSupervisor:
    """Owns the runners and their tasks."""

    def __init__(
        self,
        components: Iterable[StackComponent],
        *,
        spawn: Spawn,
        reporter: Reporter,
        held: Callable[[str], bool],
        taken: Callable[[StackComponent], bool],
        probe: Probe = probes.answers,
    ) -> None:
        self._runners = {
            c.name: ComponentRunner(c, spawn, reporter, held=held, taken=taken, probe=probe)
            for c in components
        }
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Start everything; returns when all are ready. Raises StartFailed for one that cannot."""
        self._tasks = {
            name: asyncio.create_task(self._run(runner), name=name) for name, runner in self._runners.items()
        }
        everything = asyncio.create_task(self._all_ready())
        try:
            await asyncio.wait([everything, *self._tasks.values()], return_when=asyncio.FIRST_COMPLETED)
            self._raise_failure()
        finally:
            everything.cancel()

    async def watch(self) -> None:
        """Wait until a runner ends, which happens only by an error, and raise it."""
        await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        self._raise_failure()

    def waiting_for(self) -> list[str]:
        """The components that have not been ready yet."""
        return [name for name, runner in self._runners.items() if not runner.ready.is_set()]

    async def stop(self) -> None:
        """End every child, one tier after the other, the highest first."""
        for tier in sorted(Tier, reverse=True):
            runners = [r for r in self._runners.values() if r.component.tier is tier]
            async with asyncio.TaskGroup() as stops:
                for runner in runners:
                    stops.create_task(self._stop(runner))

    async def _run(self, runner: ComponentRunner) -> None:
        for name in runner.component.needs:
            if name in self._runners:
                await self._runners[name].ready.wait()
        await runner.run()

    async def _all_ready(self) -> None:
        for runner in self._runners.values():
            await runner.ready.wait()

    async def _stop(self, runner: ComponentRunner) -> None:
        """Cancel the runner's task first, so that it does not restart its child."""
        task = self._tasks.get(runner.component.name)
        if task is None:
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)  # its error, if any, was raised by start or watch
        await runner.stop()

    def _raise_failure(self) -> None:
        for task in self._tasks.values():
            if task.done():
                task.result()
                raise RuntimeError(f"the runner of {task.get_name()} ended without a reason")
