"""`greenroom up` and `greenroom down`: the whole stack."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console as Rich
from rich.markup import escape

from deploy.local import StackError
from deploy.local.console import Console
from deploy.local.control import start_detached, stop
from deploy.local.data_dir import DEFAULT_DATA_DIR, AlreadyRunning, DataDir, supervisor_of
from deploy.local.plan import GATEWAY_PORT
from deploy.local.stack import Stack
from deploy.local.supervisor.run import Options, run
from deploy.terminal import fail

DataDirOption = Annotated[
    Path,
    typer.Option(
        "--data-dir",
        help="Where the stack keeps its data, logs and secrets.",
        metavar="DIR",
        envvar="GREENROOM_DATA_DIR",
    ),
]


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
    die. Ctrl-C stops everything.

    Settings (GREENROOM_… and GREENROOM_CONFIG, docs/settings.md) are taken from the environment, and named
    at the start; those that the stack cannot take are refused. A component whose URL is given is not
    started: GREENROOM_MONGODB_URI, _AMQP_URL, _REDIS_URL, _SMTP_URL, _RTMP_URL, or _LIVEKIT_URL with
    _LIVEKIT_API_KEY and _LIVEKIT_API_SECRET. GREENROOM_ENGINE=livekit and GREENROOM_INGEST=livekit leave the
    work to LiveKit Egress and LiveKit Ingress, for which configurations are written and shown.

    Exit status: 0 when stopped or already running, 1 when it could not start.
    """
    options = Options(DataDir.at(data_dir), port, timeout, follow_logs=logs)
    try:
        _detached(options) if detach else _attached(options)
    except AlreadyRunning as running:
        _already(options, running.pid)
    except StackError as error:
        fail(str(error))


def _attached(options: Options) -> None:
    def announce(stack: Stack) -> None:
        if options.follow_logs:
            _show_banner(Rich(), stack, options.data)

    asyncio.run(run(options, os.environ, Console(sys.stdout), announce))


def _detached(options: Options) -> None:
    running = supervisor_of(options.data)
    if running is not None:
        raise AlreadyRunning(running)
    stack = start_detached(options.data, options.port, options.timeout, Console(sys.stdout).raw)
    _show_banner(Rich(), stack, options.data)


def _already(options: Options, pid: int) -> None:
    """Show where it runs; exit 1 if another port was requested."""
    rich = Rich()
    rich.print(
        f"Greenroom already runs on {options.data.root} (process {pid}).", highlight=False, soft_wrap=True
    )
    if not options.data.stack_file.exists():
        rich.print("It is still starting; see `greenroom status`.")
        return
    stack = Stack.load(options.data.stack_file)
    _show_banner(rich, stack, options.data)
    if options.port and stack.processes["gateway"].port != options.port:
        rich.print(f"It does not listen on port {options.port}: stop it first with `greenroom down`.")
        raise typer.Exit(1)


def down(data_dir: DataDirOption = DEFAULT_DATA_DIR) -> None:
    """Stop the stack and wait until it is gone. Its data stays. Exit status 0, also when nothing ran."""
    data = DataDir.at(data_dir)
    pid = stop(data)
    typer.echo(f"Nothing runs on {data.root}." if pid is None else f"Stopped Greenroom on {data.root}.")


def _show_banner(console: Rich, stack: Stack, data: DataDir) -> None:
    """The addresses, and how to sign in."""
    rows = [
        ("Greenroom", f"{stack.base_url}  (documentation: {stack.base_url}/docs)"),
        ("LiveKit", stack.livekit_url),
        *([("Mails", stack.mail_url)] if stack.mail_url else []),
        ("Sign in as host", f"{stack.host.email}  {stack.host.password}"),
        ("as administrator", f"{stack.admin.email}  {stack.admin.password}"),
        ("API key", f"X-API-Key: {stack.api_key.id}.<secret>"),
        ("Logs", f"{data.logs}/*.log"),
        ("Everything else", str(data.stack_file)),
    ]
    console.print()
    for label, value in rows:
        console.print(f"  [bold]{label:<18}[/bold]{escape(value)}", soft_wrap=True, highlight=False)
    console.print()
