"""`greenroom up`: start the stack."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Annotated

import typer
from rich.console import Console as Rich

from deploy.cli.banner import show_banner
from deploy.cli.options import DEFAULT_DATA_DIR, DataDirOption
from deploy.local.console import Console
from deploy.local.control import StartRefused, start_detached
from deploy.local.data_dir import AlreadyRunning, DataDir, UnusableDataDir, supervisor_of
from deploy.local.external import IncompleteEnvironment
from deploy.local.plan import GATEWAY_PORT
from deploy.local.ports import PortTaken
from deploy.local.programs import MissingPrograms
from deploy.local.stack import Stack
from deploy.local.supervisor.provision import ProvisionFailed
from deploy.local.supervisor.run import NotReadyInTime, Options, run
from deploy.local.supervisor.supervisor import StartFailed

REFUSALS = (
    IncompleteEnvironment,
    MissingPrograms,
    NotReadyInTime,
    PortTaken,
    ProvisionFailed,
    StartFailed,
    StartRefused,
    UnusableDataDir,
)


def up(
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return when the stack is ready; it goes on running.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            help=f"The gateway's port, 0 for any. By default the last one or {GATEWAY_PORT}, if free.",
            min=0,
            max=65535,
        ),
    ] = None,
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
    timeout: Annotated[float, typer.Option(help="Seconds within which everything must be ready.")] = 120.0,
    logs: Annotated[bool, typer.Option("--logs/--no-logs", help="Show what the components write.")] = True,
) -> None:
    """Start the whole of Greenroom on this machine, as private processes on loopback ports.

    Databases, broker, Redis, LiveKit and the services are started in health order and restarted when they
    die. Ctrl-C stops everything. A component whose URL is in the environment (GREENROOM_MONGODB_URI,
    GREENROOM_AMQP_URL, GREENROOM_REDIS_URL, GREENROOM_LIVEKIT_URL with _API_KEY and _API_SECRET) is used
    instead of started.

    Exit status: 0 when stopped or already running, 1 when it could not start.
    """
    options = Options(DataDir.at(data_dir), port, timeout, follow_logs=logs)
    try:
        _detached(options) if detach else _attached(options)
    except AlreadyRunning as running:
        _already(options, running.pid)
    except REFUSALS as refusal:
        Rich(stderr=True).print(str(refusal), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


def _attached(options: Options) -> None:
    def announce(stack: Stack) -> None:
        if options.follow_logs:
            show_banner(Rich(), stack, options.data)

    asyncio.run(run(options, os.environ, Console(sys.stdout), announce))


def _detached(options: Options) -> None:
    running = supervisor_of(options.data)
    if running is not None:
        raise AlreadyRunning(running)
    stack = start_detached(options.data, options.port, options.timeout, Console(sys.stdout).raw)
    show_banner(Rich(), stack, options.data)


def _already(options: Options, pid: int) -> None:
    """Say that it runs, and where; a wish for another port cannot be met."""
    rich = Rich()
    rich.print(
        f"Greenroom already runs on {options.data.root} (process {pid}).", highlight=False, soft_wrap=True
    )
    if not options.data.stack_file.exists():
        rich.print("It is still starting; see `greenroom status`.")
        return
    stack = Stack.load(options.data.stack_file)
    show_banner(rich, stack, options.data)
    if options.port and stack.processes["gateway"].port != options.port:
        rich.print(f"It does not listen on port {options.port}: stop it first with `greenroom down`.")
        raise typer.Exit(1)
