"""What recording costs: processor and memory of the recorder, beside a bare loop in the same room."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from deploy.local.stack import Stack
from shared.clock import SystemClock
from shared.contracts.states import Role
from shared.livekit import JoinGrant, TokenMint
from tests.bench.memory import resident_mb
from tests.bench.rows import Row
from tests.publishers.reading import read
from tests.publishers.recorder_jobs import RecorderJobs, recorder_jobs_of
from tests.publishers.session import LiveSession, a_session
from tests.running_stack import RunningStack

SPEAKER = ("Anna Lund",)
STAGE = ("Anna Lund", "Bob", "Céline", "Dora")
START_SECONDS = 60.0
BARE_SECONDS = 60.0
IN_STEP_MS = 80.0
TICKS = os.sysconf("SC_CLK_TCK")
BARE = "a bare loop that subscribes and encodes one of them"


@dataclass(frozen=True)
class Cost:
    """Cores in the mean, megabytes in the middle and at the end, segments made.

    `offsets` are how far each beep is from its flash, in seconds, from the first on.
    """

    cores: float
    middle: float
    resident: float
    segments: int = 0
    offsets: tuple[float, ...] = ()


async def run(stack: RunningStack, *, short: bool) -> list[Row]:
    seconds = 3.0 if short else 600.0
    one = await _measured(stack, SPEAKER, "1280x720", seconds)
    rows = _rows("one speaker, 1280x720", *one, 0.5, 250.0)
    if short:
        return rows
    four = await _measured(stack, STAGE, "640x360", seconds)
    return [*rows, *_rows("four on stage", *four, 1.0, 300.0)]


def _rows(what: str, ours: Cost, bare: Cost, cores: float, resident: float) -> list[Row]:
    note = f"{ours.segments} segments of 2 s, 1280x720 at 30 pictures a second, for HLS and MP4"
    return [*_in_step(what, ours), *_costs(what, ours, bare, cores, resident, note)]


def _in_step(what: str, ours: Cost) -> list[Row]:
    """How far sound and picture are apart, at worst and in the median."""
    apart = sorted(abs(offset) for offset in ours.offsets)
    if not apart:
        return []
    return [
        Row(
            f"recorder, {what}: sound from picture, at worst",
            apart[-1] * 1000,
            "ms",
            goal=IN_STEP_MS,
            at_most=True,
            absolute=True,
            note=f"{len(apart)} flashes and beeps from the first on, {apart[len(apart) // 2] * 1000:.0f} ms "
            "in the median",
        )
    ]


def _costs(what: str, ours: Cost, bare: Cost, cores: float, resident: float, note: str) -> list[Row]:
    return [
        Row(
            f"recorder, {what}: processor",
            ours.cores,
            "cores",
            bare.cores,
            BARE,
            goal=cores,
            at_most=True,
            absolute=True,
            note=note,
        ),
        Row(
            f"recorder, {what}: memory",
            ours.resident,
            "MB",
            bare.resident,
            BARE,
            goal=resident,
            at_most=True,
            absolute=True,
            note=f"{note}; {ours.middle:.0f} MB half-way",
        ),
    ]


async def _measured(
    stack: RunningStack, names: tuple[str, ...], size: str, seconds: float
) -> tuple[Cost, Cost]:
    """The recorder's cost and the bare loop's, one after the other with the same people on stage."""
    async with (
        recorder_jobs_of(stack) as recorder_jobs,
        a_session(stack.info) as place,
        _people(stack.info, place, names, size),
    ):
        ours = await _ours(stack, recorder_jobs, place.session_id, seconds)
        async with _bare(stack.info, place.session_id) as pid:
            return ours, await _cost(pid, min(seconds, BARE_SECONDS))


async def _ours(stack: RunningStack, recorder_jobs: RecorderJobs, room: str, seconds: float) -> Cost:
    key = await recorder_jobs.order(room)
    try:
        await recorder_jobs.until_segments(key, 1, within=START_SECONDS)
        before = await recorder_jobs.segments.count(key, limit=100_000)
        cost = await _cost(stack.info.processes["recorder"].pid, seconds)
        made = await recorder_jobs.segments.count(key, limit=100_000) - before
    finally:
        await recorder_jobs.stop(key)
        await recorder_jobs.until(key, lambda job: job.status.over, within=START_SECONDS)
    files = [recorder_jobs.storage / segment.path for segment in await recorder_jobs.segments.of(key)]
    found = await asyncio.to_thread(read, files)
    return replace(cost, segments=made, offsets=tuple(found.offsets))


async def _cost(pid: int, seconds: float) -> Cost:
    await asyncio.sleep(min(seconds / 6, 10.0))  # until LiveKit's buffers have found their size
    before = _cpu_seconds(pid)
    await asyncio.sleep(seconds / 2)
    middle = resident_mb(pid)
    await asyncio.sleep(seconds / 2)
    return Cost((_cpu_seconds(pid) - before) / seconds, middle, resident_mb(pid))


def _cpu_seconds(pid: int) -> float:
    """Of all threads, from the kernel's own account (proc(5): utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@asynccontextmanager
async def _people(stack: Stack, place: LiveSession, names: tuple[str, ...], size: str) -> AsyncIterator[None]:
    """On stage for the length of the block, in a process of their own."""
    access = (
        stack.livekit_url,
        stack.livekit_api_key,
        stack.livekit_api_secret,
        place.session_id,
        place.host_id,
    )
    process = await _started("tests.publishers", *access, "--size", size, *names)
    try:
        yield
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


@asynccontextmanager
async def _bare(stack: Stack, room: str) -> AsyncIterator[int]:
    grant = JoinGrant(room=room, identity="bare", name="bare", role=Role.AUDIENCE, hidden=True, recorder=True)
    mint = TokenMint(stack.livekit_api_key, stack.livekit_api_secret, SystemClock())
    token = mint.join_token(grant, lifetime=timedelta(minutes=5))
    process = await _started("tests.bench.bare_recorder", stack.livekit_url, token)
    try:
        yield process.pid
    finally:
        process.kill()
        await process.wait()


async def _started(module: str, *arguments: str) -> asyncio.subprocess.Process:
    """A process that has said its first line."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    if process.stdout is not None:
        async with asyncio.timeout(START_SECONDS):
            await process.stdout.readline()
    return process
