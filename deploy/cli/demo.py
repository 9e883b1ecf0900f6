"""`greenroom demo`: a live session with real media, checked."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console as Rich

from deploy.api_client import CallFailed
from deploy.cli.up import DataDirOption
from deploy.local import StackError
from deploy.local.console import Console
from deploy.local.control import start_detached, stop, wait_for_stack
from deploy.local.data_dir import DEFAULT_DATA_DIR, DataDir, supervisor_of
from deploy.local.stack import Stack
from deploy.local.stopping import Stopped
from deploy.terminal import fail

INTERRUPTED = 130
START_SECONDS = 120.0


def demo(
    base_url: Annotated[
        str | None, typer.Option(help="Reach the gateway here instead of at the stack's own address.")
    ] = None,
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
    viewers: Annotated[int, typer.Option(help="How many people watch.", min=2, max=20)] = 5,
    seconds: Annotated[float, typer.Option(help="How long they watch.", min=10, max=600)] = 18,
    keep: Annotated[bool, typer.Option("--keep", help="Let a stack started for the demo run on.")] = False,
) -> None:
    """Play a live session with real media on the running stack, or on one started for it.

    A host broadcasts a moving picture and a tone, viewers join, leave and come back, one with two devices; at
    the end the attendance that the API reports is shown beside what really happened.

    Exit status: 0 when they agree, 1 when they do not or something failed, 130 when interrupted.
    """
    if importlib.util.find_spec("livekit.rtc") is None or importlib.util.find_spec("numpy") is None:
        fail("The demo needs the media client: uv sync --extra local")
    _run(DataDir.at(data_dir), base_url, viewers, seconds, keep=keep)


def _run(data: DataDir, base_url: str | None, viewers: int, seconds: float, *, keep: bool) -> None:
    # Imported late: the media client is large, and not installed everywhere.
    from deploy.demo.report import show_goodbye, show_result
    from deploy.demo.scenario import DemoOptions, run_demo
    from deploy.demo.waiting import DemoFailed

    rich = Rich()
    try:
        with _ready_stack(data, keep=keep) as (stack, runs_on):
            url = base_url or stack.base_url
            options = DemoOptions(stack.host.email, stack.host.password, viewers, seconds)
            result = asyncio.run(run_demo(url, options, rich))
            show_result(rich, result)
            session_id = result.created.session_id
            show_goodbye(rich, url, session_id, data.recording_of(session_id), runs_on=runs_on)
    except Stopped:
        rich.print("Interrupted: everything that was started has been ended.")
        raise typer.Exit(INTERRUPTED) from None
    except (DemoFailed, CallFailed, StackError) as error:
        fail(str(error))
    if not result.agrees:
        raise typer.Exit(1)


@contextmanager
def _ready_stack(data: DataDir, *, keep: bool) -> Iterator[tuple[Stack, bool]]:
    """The running stack, or one started for the block and stopped after it unless kept.

    The flag says whether it goes on running after the demo.
    """
    if supervisor_of(data) is not None:
        yield wait_for_stack(data, START_SECONDS), True
        return
    stack = start_detached(data, None, START_SECONDS, Console(sys.stdout).raw, tied=not keep)
    try:
        yield stack, keep
    finally:
        if not keep:
            stop(data)
