"""What `greenroom up` does, from the first port to the last process."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from deploy.local.board import Board
from deploy.local.child import Launcher
from deploy.local.components import table
from deploy.local.console import Console
from deploy.local.files import last_lines
from deploy.local.holds import Holds
from deploy.local.keeper import LINES_SHOWN
from deploy.local.layout import DataDir
from deploy.local.lock import locked
from deploy.local.plan import Plan, make_plan
from deploy.local.provision import Provision, provision
from deploy.local.stack import DatabaseUris, SignIn, Stack
from deploy.local.supervisor import Supervisor
from deploy.local.tail import Tail, follow

# Beneath the environment of whoever starts the stack.
CHILD_DEFAULTS = {"GREENROOM_ENVIRONMENT": "development", "GREENROOM_LOG_FORMAT": "console"}
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class NotReadyInTime(Exception):
    """Some components were not ready before the deadline; the message says which, with their last lines."""

    def __init__(self, names: list[str], data: DataDir, timeout: float) -> None:
        told = (f"{name}:\n" + "\n".join(f"    {line}" for line in _tail(data, name)) for name in names)
        super().__init__(f"not ready within {timeout:.0f} s: {', '.join(names)}\n" + "\n".join(told))


def _tail(data: DataDir, name: str) -> list[str]:
    return last_lines(data.log_of(name), LINES_SHOWN)


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

    Raises AlreadyRunning, MissingPrograms, PortTaken, IncompleteEnvironment, StartFailed, NotReadyInTime or
    ProvisionFailed; nothing is left running then, either. `announce` is called once, when all is ready.
    """
    options.data.create()
    with locked(options.data), stop_requested() as stop:
        plan = make_plan(options.data, environ, gateway_port=options.port)
        stack_run = _Run(options, plan, {**CHILD_DEFAULTS, **environ}, console, announce)
        try:
            await _until(stop, stack_run.serve())
        finally:
            await stack_run.close()


class _Run:
    """One run of one stack."""

    def __init__(
        self,
        options: Options,
        plan: Plan,
        environ: Mapping[str, str],
        console: Console,
        announce: Callable[[Stack], None],
    ) -> None:
        self._options = options
        self._plan = plan
        self._console = console
        self._announce = announce
        self._table = table(plan)
        self._board = Board(plan.data, self._table, console, time.time)
        self._holds = Holds(plan.data)
        self._supervisor = Supervisor(
            self._table,
            spawn=Launcher(plan.data, environ),
            reporter=self._board,
            held=self._holds.held,
        )

    async def serve(self) -> None:
        """Start, provision, announce, then watch for ever."""
        started = time.monotonic()
        self._board.withdraw()
        self._holds.release_all()
        async with self._shown_logs():
            await self._start()
            made = await provision(self._plan)
            stack = self._board.publish(stack_of(self._plan, made))
            self._console.say(f"the stack is ready after {time.monotonic() - started:.1f} s")
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
        """Follow the components' logs where that is wanted."""
        if not self._options.follow_logs:
            yield
            return
        tails = [(c.name, Tail(self._plan.data.log_of(c.name))) for c in self._table]
        task = asyncio.create_task(follow(tails, self._console.log))
        try:
            yield
        finally:
            task.cancel()


def stack_of(plan: Plan, made: Provision) -> Stack:
    """What `stack.json` says of this stack, save the processes, which the board knows."""
    credentials = plan.credentials
    return Stack(
        base_url=plan.addresses.gateway,
        livekit_url=plan.addresses.livekit,
        livekit_api_key=credentials.livekit_api_key,
        livekit_api_secret=credentials.livekit_api_secret,
        mongodb=DatabaseUris(**plan.addresses.mongodb),
        amqp_url=plan.addresses.amqp,
        redis_url=plan.addresses.redis,
        admin=SignIn(email=credentials.admin_email, password=credentials.admin_password),
        host=SignIn(email=credentials.host_email, password=credentials.host_password),
        organization_id=made.organization_id,
        library_id=made.library_id,
        api_key=made.api_key,
        processes={},
    )


async def _until(stop: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Do the work until a stop is requested; its own end is an error, and raised."""
    stopping = asyncio.create_task(stop.wait())
    working = asyncio.create_task(work)
    try:
        await asyncio.wait({stopping, working}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        stopping.cancel()
        working.cancel()
        await asyncio.gather(stopping, working, return_exceptions=True)


@contextmanager
def stop_requested() -> Iterator[asyncio.Event]:
    """An event that is set by the signals that end the stack."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
