"""Runs the transcoder from an RTMP stream into a room, as a process that can be ended at any moment."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from services.relay import FLOWING
from shared.errors import Unavailable
from shared.runtime.tasks import until_first_ends

# Seconds from its start until media flows: Python's own start, RTMP, WHIP with ICE and DTLS.
_START_TIMEOUT = 20.0
# How long it may print nothing: longer than an encoder may be silent.
_STALL_TIMEOUT = 15.0

Transcoder: TypeAlias = Callable[[str, str, asyncio.Event, Callable[[], None]], Awaitable[None]]
"""Of a source, a target, an event that stops it, and what to call once media flows: see `run_transcoder`."""


async def run_transcoder(
    video_kbps: int, source: str, target: str, stopped: asyncio.Event, flowing: Callable[[], None]
) -> None:
    """Pass media on until the source ends or `stopped` is set; calls `flowing` once media flows.

    Raises Unavailable if media does not get through.
    """
    arguments = {"source": source, "target": target, "video_kbps": video_kbps}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.relay.transcoder", stdin=PIPE, stdout=PIPE
    )
    try:
        await until_first_ends(_follow(process, arguments, flowing), stopped.wait())
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _follow(process: Process, arguments: dict[str, object], flowing: Callable[[], None]) -> None:
    """Returns when the source has ended. Raises Unavailable."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the transcoder was started without its pipes")
    process.stdin.write(json.dumps(arguments).encode() + b"\n")
    line = await _line(process.stdout, _START_TIMEOUT, "no media flows")
    if line == FLOWING:
        flowing()
        line = await last_line(process.stdout, _STALL_TIMEOUT)
    if await process.wait() != 0:
        raise Unavailable(line or "the transcoder died")


async def last_line(output: asyncio.StreamReader, timeout: float) -> str:
    """The first line other than `FLOWING`. Raises Unavailable after `timeout` seconds without a line."""
    while (line := await _line(output, timeout, "media stands still")) == FLOWING:
        pass
    return line


async def _line(output: asyncio.StreamReader, timeout: float, problem: str) -> str:
    try:
        async with asyncio.timeout(timeout):
            return (await output.readline()).decode().strip()
    except TimeoutError as error:
        raise Unavailable(problem) from error
