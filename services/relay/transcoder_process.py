"""Runs the transcoder from an RTMP stream into a room, as a process that can be ended at any moment."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

from services.relay.input_report import InputReport
from shared.errors import Unavailable
from shared.runtime.tasks import until_first_ends

# Seconds from its start until it says something: Python's own start, RTMP, and the room, which opens later.
_START_TIMEOUT = 30.0
# How long it may say nothing: longer than an encoder may be silent.
_STALL_TIMEOUT = 15.0
# How long leaving the room may take.
_END_TIMEOUT = 3.0

Reported = Callable[[InputReport], None]


class Transcoder(Protocol):
    async def __call__(self, source: str, token: str, stopped: asyncio.Event, reported: Reported) -> None:
        """See `run_transcoder`."""
        ...


async def run_transcoder(
    video_kbps: int, livekit_url: str, source: str, token: str, stopped: asyncio.Event, reported: Reported
) -> None:
    """Pass media on until the source ends or `stopped` is set; `reported` is told every second what comes.

    Raises Unavailable if media does not get through.
    """
    arguments = {"source": source, "livekit_url": livekit_url, "token": token, "video_kbps": video_kbps}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.relay.media.transcoder", stdin=PIPE, stdout=PIPE
    )
    try:
        await until_first_ends(_follow(process, arguments, reported), stopped.wait())
    finally:
        await _end(process)


async def _end(process: Process) -> None:
    """Let it leave the room, so that nobody waits for it there."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_END_TIMEOUT):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _follow(process: Process, arguments: dict[str, object], reported: Reported) -> None:
    """Returns when the source has ended. Raises Unavailable."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the transcoder was started without its pipes")
    process.stdin.write(json.dumps(arguments).encode() + b"\n")
    async for line in lines(process.stdout):
        if "error" in line:
            raise Unavailable(line["error"])
        reported(InputReport.of(line))
    if await process.wait() != 0:
        raise Unavailable("the transcoder died")


async def lines(
    output: asyncio.StreamReader, first: float = _START_TIMEOUT, next_one: float = _STALL_TIMEOUT
) -> AsyncIterator[dict[str, Any]]:
    """What the transcoder says. Raises Unavailable if it says nothing for too many seconds."""
    timeout = first
    while True:
        try:
            async with asyncio.timeout(timeout):
                line = await output.readline()
        except TimeoutError as error:
            raise Unavailable("no media flows" if timeout == first else "media stands still") from error
        if not line:
            return
        yield json.loads(line)
        timeout = next_one
