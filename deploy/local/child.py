"""One child process: started in a session of its own, its output in a file, tied to our life."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.local.component import Component
from deploy.local.files import last_lines
from deploy.local.layout import DataDir

PR_SET_PDEATHSIG = 1
LOG_BYTES = 20_000_000


class Child(Protocol):
    """A running process, as the keeper sees it."""

    @property
    def pid(self) -> int: ...

    async def wait(self) -> int:
        """Its exit status, negative for a signal."""
        ...

    async def stop(self) -> None:
        """End it and everything it started, by force if it must be."""
        ...

    def last_lines(self, count: int) -> list[str]: ...


class Spawn(Protocol):
    async def __call__(self, component: Component) -> Child: ...


@dataclass(frozen=True)
class Log:
    """Where a child writes, and at which byte it began."""

    path: Path
    start: int


class Process:
    """A real child."""

    def __init__(self, component: Component, process: asyncio.subprocess.Process, log: Log) -> None:
        self._component = component
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    async def wait(self) -> int:
        status = await self._process.wait()
        _signal_group(self.pid, signal.SIGKILL)  # helpers that outlived their leader
        return status

    async def stop(self) -> None:
        """Only the leader is asked: an Erlang node aborts when its helpers are told to end before it."""
        for number, patience in self._component.stop:
            if self._process.returncode is None:
                self._process.send_signal(number)
            try:
                async with asyncio.timeout(patience):
                    await self.wait()
                    return
            except TimeoutError:
                continue
        _signal_group(self.pid, signal.SIGKILL)
        await self.wait()

    def last_lines(self, count: int) -> list[str]:
        return last_lines(self._log.path, count, since=self._log.start)


class Launcher:
    """Starts children with the given environment beneath their own. Their output goes to their log."""

    def __init__(self, data: DataDir, environ: Mapping[str, str]) -> None:
        self._data = data
        self._environ = environ

    async def __call__(self, component: Component) -> Process:
        with _opened_log(self._data.log_of(component.name)) as (output, log):
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
        return Process(component, process, log)


def dies_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """A preexec function after which the kernel sends the signal when the parent dies; None off Linux."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it died before the tie was made
            os._exit(1)

    return tie


@contextmanager
def _opened_log(path: Path) -> Iterator[tuple[int, Log]]:
    """A descriptor that appends to the log, which is moved aside first when it has grown large."""
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield descriptor, Log(path, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _signal_group(leader: int, number: signal.Signals) -> None:
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return
