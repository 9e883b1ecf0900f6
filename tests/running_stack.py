"""A running stack as tests use it: look at it, kill a component, keep one down for a while."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from unittest.mock import patch

from deploy.local.console import Console
from deploy.local.control import start_detached, stop
from deploy.local.data_dir import DataDir
from deploy.local.stack import ComponentState, Phase, Stack, StackState

POLL_SECONDS = 0.05
START_SECONDS = 120.0
# One person does here what a crowd does elsewhere.
SETTINGS = {"GREENROOM_RATE_LIMIT_ACTIONS": "6000/10 second"}


@contextmanager
def private_stack(data: DataDir) -> Iterator[RunningStack]:
    """A stack on free ports; its progress goes to standard error. Raises StartRefused."""
    with patch.dict(os.environ, SETTINGS):
        start_detached(data, 0, START_SECONDS, Console(sys.stderr).raw, tied=True)
    try:
        yield RunningStack(data)
    finally:
        stop(data)


@contextmanager
def given_or_private_stack(data_dir: Path | None, name: str) -> Iterator[RunningStack]:
    """The stack that runs in `data_dir`, or a private one for this time. Raises StartRefused."""
    if data_dir is not None:
        yield RunningStack(DataDir.at(data_dir))
        return
    with (
        tempfile.TemporaryDirectory(prefix=f"greenroom-{name}-") as folder,
        private_stack(DataDir.at(Path(folder))) as stack,
    ):
        yield stack


class NeverHappened(Exception):
    """The expected state was not reached before the deadline."""


class RunningStack:
    """The supervisor's files, read again for every question. Deadlines are in seconds."""

    def __init__(self, data: DataDir) -> None:
        self.data = data

    @property
    def info(self) -> Stack:
        """`stack.json` as it is now: process ids change when a component is restarted."""
        return Stack.load(self.data.stack_file)

    def state(self, name: str) -> ComponentState:
        """What the supervisor last recorded of a component. Raises KeyError for an unknown name."""
        return StackState.load(self.data.state_file).components[name]

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to a component's process; its id. The supervisor starts a dead one again."""
        pid = self.state(name).pid
        if pid is None:
            raise ProcessLookupError(f"{name} does not run")
        os.kill(pid, number)
        return pid

    async def restart(
        self, name: str, *, number: signal.Signals = signal.SIGKILL, within: float = 60
    ) -> None:
        """Kill a component and wait until another process of it is ready."""
        await self.replaced(name, self.kill(name, number), within=within)

    async def replaced(self, name: str, pid: int, *, within: float = 60) -> ComponentState:
        """Wait until the component is ready as another process than `pid`. Raises NeverHappened."""
        return await self._until(name, lambda s: s.phase is Phase.READY and s.pid != pid, within)

    @asynccontextmanager
    async def held(self, name: str, *, within: float = 60) -> AsyncIterator[None]:
        """Keep a component down for a while; it is ready again when this ends."""
        self.data.hold(name)
        try:
            pid = self.kill(name)
            await self._until(name, lambda s: s.phase is Phase.HELD, within)
            yield
        finally:
            self.data.release(name)
        await self.replaced(name, pid, within=within)

    async def _until(
        self, name: str, wanted: Callable[[ComponentState], bool], within: float
    ) -> ComponentState:
        deadline = time.monotonic() + within
        while not wanted(state := self.state(name)):
            if time.monotonic() > deadline:
                raise NeverHappened(f"{name} is {state.phase} (process {state.pid}) after {within:.0f} s")
            await asyncio.sleep(POLL_SECONDS)
        return state
