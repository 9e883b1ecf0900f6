"""A whole run: load in shifts, sessions with real media now and then, samples all the time, the verdict."""

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.chaos.caller import Call, Caller, connect
from tests.chaos.leftover_checks import dead
from tests.chaos.load import Size, make_tenant, under_load
from tests.rolling.steady_load import READ, WRITE, SteadyLoad
from tests.running_stack import RunningStack
from tests.soak.judge import Tolerance, Trend, judge
from tests.soak.sampling import Sample, Samples, sampled

# What a process may grow by while it is judged. A heap breathes, and pools follow the load.
MEASURES: dict[str, Callable[[Sample], float]] = {
    "memory": lambda sample: sample.pss,
    "descriptors": lambda sample: sample.descriptors,
    "tasks": lambda sample: sample.tasks,
}
TOLERANCES = {
    "memory": Tolerance(share=0.05, least=5),
    "descriptors": Tolerance(share=0.1, least=8),
    "tasks": Tolerance(share=0.1, least=8),
}
# Access tokens are valid for 15 minutes; each shift signs in again.
SHIFT_SECONDS = 480.0


@dataclass(frozen=True)
class Plan:
    """`rate`: requests a second beside those of `size`. A session with media each `media_every` seconds (0:
    none). What comes within `warm_up` seconds is not judged."""

    seconds: float
    warm_up: float
    rate: float
    size: Size
    every: float = 5.0
    media_every: float = 0.0
    tolerances: dict[str, Tolerance] = field(default_factory=lambda: TOLERANCES)
    seed: int = 1


@dataclass(frozen=True)
class Result:
    """`trends` by process and measure; `faults`: empty in a good run; `media`: exit statuses of the demos."""

    began: float
    seconds: float
    samples: Samples
    trends: dict[str, dict[str, Trend]]
    calls: Counter[str]
    left_out: int
    media: list[int]
    dead_letters: int
    faults: list[str]


async def run(stack: RunningStack, plan: Plan, say: Callable[[str], None]) -> Result:
    """Raises RuntimeError if the load cannot begin."""
    began, clock = time.time(), time.monotonic()
    calls: Counter[str] = Counter()
    left_out = 0
    media: list[int] = []
    async with sampled(stack, plan.every) as samples:
        playing = asyncio.create_task(_play(stack, plan, media))
        try:
            while (left := plan.seconds - (time.monotonic() - clock)) > 0:
                left_out += await _shift(stack, plan, min(left, SHIFT_SECONDS), calls)
                say(f"after {time.monotonic() - clock:.0f} s: {sum(calls.values())} calls, media {media}")
        finally:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
        seconds = time.monotonic() - clock
    letters = await dead(stack.info)
    trends = {name: _trends(kept, plan) for name, kept in samples.items()}
    faults = [*letters, *find_faults(samples, trends, media)]
    return Result(began, seconds, samples, trends, calls, left_out, media, len(letters), faults)


async def _shift(stack: RunningStack, plan: Plan, seconds: float, calls: Counter[str]) -> int:
    """Load for so long, by people who sign in first; how many requests were left out."""
    async with connect(stack.info.base_url) as http:
        caller, rng = Caller(http), random.Random(plan.seed)
        tenant = await make_tenant(caller, stack.info, plan.size.hosts + 1)
        steady = SteadyLoad(caller, tenant.accounts[-1:], plan.rate, rng)
        async with under_load(caller, stack.info, tenant.accounts[:-1], plan.size, rng), steady.running():
            await asyncio.sleep(seconds)
    calls.update(_described(call) for call in caller.calls)
    return steady.left_out


def _described(call: Call) -> str:
    return f"{call.kind if call.kind in {READ, WRITE} else 'sessions'} {call.outcome.value}"


async def _play(stack: RunningStack, plan: Plan, media: list[int]) -> None:
    """A demo each `media_every` seconds: real media, a stream and a recording, compared with the API."""
    while plan.media_every:
        began = time.monotonic()
        demo = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy.cli", "demo", "--data-dir", str(stack.data.root)),
            *("--viewers", "2", "--seconds", "20"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            media.append(await demo.wait())
        finally:
            if demo.returncode is None:
                demo.terminate()
                await demo.wait()
        await asyncio.sleep(max(0.0, plan.media_every - (time.monotonic() - began)))


def _trends(samples: list[Sample], plan: Plan) -> dict[str, Trend]:
    return {
        name: judge([(one.at, measure(one)) for one in samples], plan.warm_up, plan.tolerances[name])
        for name, measure in MEASURES.items()
    }


def find_faults(samples: Samples, trends: dict[str, dict[str, Trend]], media: list[int]) -> list[str]:
    """What is not as it has to be, in words."""
    grown = [
        f"{name}: {measure} grew by {trend.growth:.1f} from {trend.first:g} ({trend.allowed:.1f} allowed)"
        for name, measures in trends.items()
        for measure, trend in measures.items()
        if not trend.flat
    ]
    replaced = [
        f"{name} was restarted" for name, kept in samples.items() if len({one.pid for one in kept}) > 1
    ]
    return (
        grown + replaced + [f"a session with media ended with status {status}" for status in media if status]
    )
