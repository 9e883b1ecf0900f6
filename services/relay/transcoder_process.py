"""Runs the pipe from an RTMP stream into a room, as a process that can be ended at any moment."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from typing import Protocol

from shared.errors import Unavailable

# Seconds from its start until media flows: Python's own start, RTMP, WHIP with ICE and DTLS.
_FLOWS_WITHIN = 20.0
# What the pipe says every second, and how long it may be silent: longer than an encoder may.
FLOWING = "flowing"
_STANDS_STILL_AFTER = 15.0


class Pump(Protocol):
    async def __call__(
        self, source: str, target: str, stopped: asyncio.Event, flowing: Callable[[], None]
    ) -> None:
        """Pass media on until the source ends or `stopped` is set; `flowing` is called when it does.

        Raises Unavailable where it does not get through.
        """
        ...


class PipeProcess:
    """The pump that is real."""

    def __init__(self, video_kbps: int):
        self._video_kbps = video_kbps

    async def __call__(
        self, source: str, target: str, stopped: asyncio.Event, flowing: Callable[[], None]
    ) -> None:
        order = {"source": source, "target": target, "video_kbps": self._video_kbps}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.relay.transcoder", stdin=PIPE, stdout=PIPE
        )
        piping = asyncio.create_task(_follow(process, order, flowing))
        stopping = asyncio.create_task(stopped.wait())
        try:
            await asyncio.wait({piping, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if piping.done():
                piping.result()
        finally:
            stopping.cancel()
            await _end(process, piping)


async def _follow(process: Process, order: dict[str, object], flowing: Callable[[], None]) -> None:
    """Returns when the source has ended. Raises Unavailable."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the pipe was started without its pipes")
    process.stdin.write(json.dumps(order).encode() + b"\n")
    try:
        async with asyncio.timeout(_FLOWS_WITHIN):
            said = (await process.stdout.readline()).decode().strip()
    except TimeoutError as error:
        raise Unavailable("no media flows") from error
    if said == FLOWING:
        flowing()
        said = await flowed(process.stdout, within=_STANDS_STILL_AFTER)
    if await process.wait() != 0:
        raise Unavailable(said or "the pipe died")


async def flowed(told: asyncio.StreamReader, within: float) -> str:
    """What it says when it flows no more. Raises Unavailable after `within` seconds without a word."""
    said = FLOWING
    try:
        while said == FLOWING:
            async with asyncio.timeout(within):
                said = (await told.readline()).decode().strip()
    except TimeoutError as error:
        raise Unavailable("media stands still") from error
    return said


async def _end(process: Process, piping: "asyncio.Task[None]") -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
    piping.cancel()
    await asyncio.wait({piping})
