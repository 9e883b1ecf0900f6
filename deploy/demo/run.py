"""Running a demo from the command line: on which stack, and with a clean end on Ctrl-C."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import aiohttp
from rich.console import Console

from deploy.api_client import ApiClient
from deploy.demo.api import Api
from deploy.demo.progress import display_on
from deploy.demo.report import DemoResult
from deploy.demo.scenario import DemoOptions, DemoScenario
from deploy.demo.waiting import DemoFailed
from deploy.local.control import start_detached, stop
from deploy.local.data_dir import DataDir, supervisor_of
from deploy.local.stack import Stack
from deploy.local.stopping import stop_requested, unless_stopped

START_SECONDS = 120.0
POLL_SECONDS = 0.1


async def run_demo(base_url: str, options: DemoOptions, console: Console) -> DemoResult:
    """Play the demo on the gateway at `base_url`. Raises DemoFailed, CallFailed and Stopped.

    Even then the session is over and everybody disconnected.
    """
    logging.getLogger("livekit").setLevel(logging.CRITICAL)  # its errors are raised, too
    async with aiohttp.ClientSession() as http:
        with display_on(console, time.monotonic) as display, stop_requested() as stop_event:
            scenario = DemoScenario(Api(ApiClient(base_url, http)), options, display, time.monotonic)
            return await unless_stopped(stop_event, scenario.run())


@dataclass(frozen=True)
class DemoStack:
    """`started` says that the stack was started for the demo."""

    stack: Stack
    started: bool


@contextmanager
def demo_stack(data: DataDir, show: Callable[[str], None], *, keep: bool) -> Iterator[DemoStack]:
    """A ready stack while the block runs: the running one, or one started for it and stopped unless kept.

    Raises DemoFailed if a running one does not become ready, and what `start_detached` raises.
    """
    if supervisor_of(data) is not None:
        yield DemoStack(_ready(data), started=False)
        return
    stack = start_detached(data, None, START_SECONDS, show, tied=not keep)
    try:
        yield DemoStack(stack, started=True)
    finally:
        if not keep:
            stop(data)


def _ready(data: DataDir) -> Stack:
    """The stack of another supervisor, which may still be starting it."""
    deadline = time.monotonic() + START_SECONDS
    while not data.stack_file.exists():
        if time.monotonic() > deadline:
            raise DemoFailed(f"the stack on {data.root} is not ready; see `greenroom status`")
        time.sleep(POLL_SECONDS)
    return Stack.load(data.stack_file)
