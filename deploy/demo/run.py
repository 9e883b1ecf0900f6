"""Running a demo from the command line: the parts put together, and a clean end on Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import aiohttp
from rich.console import Console

from deploy.demo.api import Api
from deploy.demo.http import Http
from deploy.demo.outcome import Outcome
from deploy.demo.script import Plan, Script
from deploy.demo.show import show_on
from deploy.local.stopping import stop_requested

T = TypeVar("T")


class Interrupted(Exception):
    """Somebody asked the demo to stop; the session is over and everybody disconnected."""


async def run_demo(base_url: str, plan: Plan, console: Console) -> Outcome:
    """Play the demo on the gateway at `base_url`. Raises DemoFailed and Interrupted."""
    logging.getLogger("livekit").setLevel(logging.CRITICAL)  # what matters of it is raised
    async with aiohttp.ClientSession() as client:
        with show_on(console, time.monotonic) as show:
            script = Script(Api(Http(base_url, client)), plan, show, time.monotonic)
            return await _unless_stopped(script.run())


async def _unless_stopped(work: Coroutine[Any, Any, T]) -> T:
    """The work's result; SIGINT, SIGTERM and SIGHUP cancel it, and it has time to tidy up."""
    with stop_requested() as stop:
        working = asyncio.create_task(work)
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        asked = stopping.done()
        stopping.cancel()
        working.cancel()
        await asyncio.wait({working})
    if working.cancelled() and asked:
        raise Interrupted
    return working.result()
