"""Whole sessions, one after the other for a while: whether what each service holds in memory grows."""

import asyncio
import time

from tests.bench.api import Api, connect
from tests.bench.memory import SERVICES, resident_mb
from tests.bench.rows import Row
from tests.bench.webhooks import deliver_joined
from tests.running_stack import RunningStack

AT_ONCE = 8
VIEWERS = 5
# A heap breathes without keeping anything.
NO_GROWTH = 1.03


async def run(stack: RunningStack, *, short: bool) -> list[Row]:
    half = 2.0 if short else 120.0
    async with connect(stack.info) as api:
        await _live(api, stack, half)
        before = _memory(stack)
        lived, given_up = await _live(api, stack, half)
        after = _memory(stack)
    note = f"{lived:,} sessions in {half:.0f} s" + (f", {given_up} webhooks given up" if given_up else "")
    return [
        Row(
            f"memory of {name} over the second half of steady work",
            after[name],
            "MB",
            before[name],
            "after the first half",
            goal=NO_GROWTH,
            at_most=True,
            note=note,
        )
        for name in SERVICES
    ]


def _memory(stack: RunningStack) -> dict[str, float]:
    return {name: resident_mb(stack.info.processes[name].pid) for name in SERVICES}


async def _live(api: Api, stack: RunningStack, seconds: float) -> tuple[int, int]:
    """Have sessions for so long, `AT_ONCE` at once; how many, and how many webhooks were given up."""
    preset = await api.preset()
    ends = time.monotonic() + seconds
    lived = given_up = 0

    async def worker() -> None:
        nonlocal lived, given_up
        while True:
            in_this_one = await _session(api, stack, preset)
            given_up, lived = given_up + in_this_one, lived + 1
            if time.monotonic() >= ends:
                return

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return lived, given_up


async def _session(api: Api, stack: RunningStack, preset: str) -> int:
    """From its creation to its end, with viewers who join; how many of LiveKit's webhooks were given up."""
    given_up = 0
    session = await api.session(await api.room(), preset)
    await api.call("POST", f"/sessions/{session}/start")
    viewer = await api.viewer()
    for number in range(VIEWERS):
        await api.call("POST", f"/sessions/{session}/join", token=viewer)
        await api.call("GET", f"/sessions/{session}", token="")
        given_up += not await deliver_joined(api.http, stack, session, number)
    await api.call("GET", f"/sessions/{session}/viewers")
    await api.call("POST", f"/sessions/{session}/end")
    return given_up
