"""What `greenroom up` does, from the first port to the last process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from deploy.local import StackError
from deploy.local.components import table
from deploy.local.components.livekit_workers import left_to_user
from deploy.local.console import Console, Tail, follow
from deploy.local.data_dir import NEEDED_BYTES, DataDir, last_lines, locked
from deploy.local.environment import DEFAULTS, described, full_environment
from deploy.local.plan import GATEWAY_PORT, StackPlan, make_plan
from deploy.local.ports import PortBook, is_free
from deploy.local.process import Launcher
from deploy.local.stack import Stack
from deploy.local.stopping import Stopped, stop_requested, unless_stopped
from deploy.local.supervisor.provision import provision, stack_of
from deploy.local.supervisor.reporter import StateReporter
from deploy.local.supervisor.supervisor import LINES_SHOWN, StackSupervisor


class NotReadyInTime(StackError):
    """Some components were not ready before the deadline; the message says which, with their last lines."""

    def __init__(self, names: list[str], data: DataDir, timeout: float) -> None:
        logs = ((name, last_lines(data.log_of(name), LINES_SHOWN)) for name in names)
        output = (f"{name}:\n" + "\n".join(f"    {line}" for line in lines) for name, lines in logs)
        super().__init__(f"not ready within {timeout:.0f} s: {', '.join(names)}\n" + "\n".join(output))


@dataclass(frozen=True)
class Options:
    """How a stack is to be run. `follow_logs` shows what the components write; `timeout` is in seconds."""

    data: DataDir
    port: int | None
    timeout: float
    follow_logs: bool


async def run(
    options: Options,
    environ: Mapping[str, str],
    console: Console,
    announce: Callable[[Stack], None],
) -> None:
    """Run the stack until SIGINT, SIGTERM or SIGHUP, then stop everything.

    Raises AlreadyRunning, MissingPrograms, PortTaken, UnusableEnvironment, StartFailed, NotReadyInTime or
    ProvisionFailed; nothing is left running then, either. `announce` is called once, when all is ready.
    """
    given = full_environment(environ)
    options.data.create()
    with locked(options.data), PortBook(options.data.ports_file) as book, stop_requested() as stop:
        plan = make_plan(options.data, given, book, gateway_port=options.port)
        if options.data.free_bytes < NEEDED_BYTES:
            free = options.data.free_bytes / 1e9
            console.warn("greenroom", f"{free:.1f} GB left on the disk: RabbitMQ takes nothing below 0.1 GB")
        for setting in described(given, environ):
            console.say(f"using {setting}")
        stack_run = _Run(options, plan, {**DEFAULTS, **given}, console, announce)
        try:
            with suppress(Stopped):
                await unless_stopped(stop, stack_run.serve())
        finally:
            await stack_run.close()


class _Run:
    """One run of one stack."""

    def __init__(
        self,
        options: Options,
        plan: StackPlan,
        environ: Mapping[str, str],
        console: Console,
        announce: Callable[[Stack], None],
    ) -> None:
        self._options = options
        self._plan = plan
        self._console = console
        self._announce = announce
        self._table = table(plan)
        self._board = StateReporter(plan.data, self._table, console, time.time)
        self._supervisor = StackSupervisor(
            self._table,
            spawn=Launcher(plan.data, environ),
            reporter=self._board,
            held=plan.data.is_held,
            taken=lambda component: not is_free(component.port),
        )

    async def serve(self) -> None:
        """Start, provision, announce, then supervise for ever."""
        started = time.monotonic()
        self._board.withdraw()
        for hold in self._plan.data.holds.iterdir():
            hold.unlink()
        port = self._plan.ports["gateway"]
        if self._options.port is None and port != GATEWAY_PORT:
            self._console.say(f"the gateway's port is {port}: {GATEWAY_PORT} was in use when it was chosen")
        async with self._shown_logs():
            await self._start()
            made = await provision(self._plan)
            stack = self._board.publish(stack_of(self._plan, made))
            self._console.say(f"the stack is ready after {time.monotonic() - started:.1f} s")
            for todo in left_to_user(self._plan):
                self._console.say(todo)
            self._announce(stack)
            await self._supervisor.watch()

    async def close(self) -> None:
        self._board.withdraw()
        self._console.say("stopping")
        await self._supervisor.stop()
        self._console.say("stopped")

    async def _start(self) -> None:
        try:
            async with asyncio.timeout(self._options.timeout):
                await self._supervisor.start()
        except TimeoutError:
            names = self._supervisor.waiting_for()
            raise NotReadyInTime(names, self._plan.data, self._options.timeout) from None

    @asynccontextmanager
    async def _shown_logs(self) -> AsyncIterator[None]:
        """Follow the components' logs if the options say so."""
        if not self._options.follow_logs:
            yield
            return
        tails = [(c.name, Tail(self._plan.data.log_of(c.name))) for c in self._table]
        task = asyncio.create_task(follow(tails, self._console.log))
        try:
            yield
        finally:
            task.cancel()
