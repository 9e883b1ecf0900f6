"""A component of the stack, and its process: in a session of its own, logging to a file, ending with ours."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from deploy.local.data_dir import DataDir, last_lines

PR_SET_PDEATHSIG = 1
LOG_BYTES = 20_000_000
# A signal and the seconds to wait for its effect, one after the other; SIGKILL follows the last.
GRACEFUL = ((signal.SIGTERM, 10.0),)


class Tier(IntEnum):
    """Stopping goes from the highest tier down, so that nothing loses what it depends on while it drains."""

    INFRASTRUCTURE = 0
    SERVICE = 1
    MEDIA = 2  # before the services, which take its last webhooks
    GATEWAY = 3


@dataclass(frozen=True)
class StackComponent:
    """One process: how to start and how to stop it; `probes.answers` asks whether it is ready.

    `needs` names components that must be ready first; names that are not part of this stack are ignored.
    `env` is laid over the supervisor's own environment.
    """

    name: str
    argv: tuple[str, ...]
    port: int
    tier: Tier
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    stop: tuple[tuple[signal.Signals, float], ...] = GRACEFUL


class Child(Protocol):
    """A running process, as the runner sees it."""

    @property
    def pid(self) -> int: ...

    async def wait(self) -> int:
        """Its exit status, negative for a signal."""
        ...

    async def stop(self) -> None:
        """End it and everything it started, by force if necessary."""
        ...

    def last_lines(self, count: int) -> list[str]: ...


class Spawn(Protocol):
    async def __call__(self, component: StackComponent) -> Child: ...


class Process:
    """A real child."""

    def __init__(
        self, component: StackComponent, process: asyncio.subprocess.Process, log: Path, log_start: int
    ) -> None:
        self._component = component
        self._process = process
        self._log = log
        self._log_start = log_start

    @property
    def pid(self) -> int:
        return self._process.pid

    async def wait(self) -> int:
        status = await self._process.wait()
        _signal_group(self.pid, signal.SIGKILL)  # helpers that outlived their leader
        return status

    async def stop(self) -> None:
        """Signals only the leader: an Erlang node aborts if its helpers are ended before it."""
        for number, seconds in self._component.stop:
            if self._process.returncode is None:
                self._process.send_signal(number)
            try:
                async with asyncio.timeout(seconds):
                    await self.wait()
                    return
            except TimeoutError:
                continue
        _signal_group(self.pid, signal.SIGKILL)
        await self.wait()

    def last_lines(self, count: int) -> list[str]:
        return last_lines(self._log, count, since=self._log_start)


class Launcher:
    """Starts processes with the given environment beneath their own. Their output goes to their log."""

    def __init__(self, data: DataDir, environ: Mapping[str, str]) -> None:
        self._data = data
        self._environ = environ

    async def __call__(self, component: StackComponent) -> Process:
        log = self._data.log_of(component.name)
        with _opened_log(log) as output:
            start = os.fstat(output).st_size
            process = await asyncio.create_subprocess_exec(
                *component.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=component.cwd,
                env={**self._environ, **component.env},
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGKILL),
            )
        return Process(component, process, log, start)


def dies_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """A preexec function after which the kernel sends the signal when the parent dies; None off Linux."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def set_signal() -> None:
        libc.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it died before this was set
            os._exit(1)

    return set_signal


@contextmanager
def _opened_log(path: Path) -> Iterator[int]:
    """A descriptor that appends to the log, which is rotated first when it has grown large."""
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _signal_group(leader: int, number: signal.Signals) -> None:
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return
