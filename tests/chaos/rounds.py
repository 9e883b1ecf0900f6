"""One round: a component dies or freezes under load and returns, and work continues."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from tests.chaos.caller import Call, Caller, Outcome
from tests.chaos.probes import Probes
from tests.running_stack import RunningStack

GOAL_SECONDS = 5.0
FROZEN_WAIT_SECONDS = 2.0
# The load never stops, so after a freeze the events of all that time come before a new one.
THAWED_GOAL_SECONDS = 15.0
# How long a round waits for work to go on before it says that it does not.
WITHIN = 60.0
CALM = 0.5

KILLED = (
    *("rabbitmq", "mongodb-session", "mongodb-egress", "mongodb-attendance", "redis"),
    *("session", "egress", "attendance", "gateway"),
)
FROZEN = "rabbitmq"


class NotWorking(Exception):
    """The stack was not at work when a round was to begin."""


@dataclass(frozen=True)
class Round:
    """Times are Unix seconds. `recovered` is by kind of probe, in seconds from `ready`; None: it did not.

    `unknown` counts the calls with no clear answer.
    """

    what: str
    component: str
    began: float
    ready: float
    over: float
    recovered: dict[str, float | None]
    unknown: int
    failed_reads: int = 0
    longest_wait: float = 0.0
    goal: float = GOAL_SECONDS

    @property
    def faults(self) -> list[str]:
        found = [
            f"{self.what} {self.component}: {kind} "
            + ("never went on" if took is None else f"took {took:.1f} s")
            for kind, took in self.recovered.items()
            if took is None or took > self.goal
        ]
        if self.failed_reads:
            found.append(f"{self.what} {self.component}: {self.failed_reads} reads failed")
        if self.longest_wait > FROZEN_WAIT_SECONDS:
            found.append(f"{self.what} {self.component}: a call waited {self.longest_wait:.1f} s")
        return found

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"faults": self.faults}


async def kill(stack: RunningStack, component: str, probes: Probes, caller: Caller) -> Round:
    """SIGKILL; the supervisor starts it again."""
    async with _probing(probes):
        began = time.time()
        pid = stack.kill(component)
        state = await stack.replaced(component, pid, within=WITHIN)
        recovered = await _recovered(probes, state.since)
        over = time.time()
    return Round("kill", component, began, state.since, over, recovered, _unclear(caller, began, over))


async def freeze(
    stack: RunningStack, component: str, seconds: float, probes: Probes, caller: Caller
) -> Round:
    """SIGSTOP for a while: nothing that does not need it may fail or wait."""
    async with _probing(probes):
        began = time.time()
        pid = stack.kill(component, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)
        ready = time.time()
        recovered = await _recovered(probes, ready)
        over = time.time()
    during = [call for call in caller.calls if began <= call.ended and call.began <= ready]
    failed = sum(
        call.kind in {"read", "probe read"} and call.outcome is not Outcome.ACKNOWLEDGED for call in during
    )
    longest = max((call.took for call in during), default=0.0)
    unclear = _unclear(caller, began, over)
    goal = THAWED_GOAL_SECONDS
    return Round("freeze", component, began, ready, over, recovered, unclear, failed, longest, goal)


@asynccontextmanager
async def _probing(probes: Probes) -> AsyncIterator[None]:
    await probes.prepare()
    running = asyncio.create_task(probes.run())
    try:
        await _until_all(probes, running)
        yield
        if running.done():
            running.result()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await probes.finish()


async def _until_all(probes: Probes, running: asyncio.Task[None]) -> None:
    """Wait until every probe has succeeded; raises what ended the probes, and NotWorking."""
    moment = time.time()
    while missing := probes.waiting(moment):
        if running.done():
            running.result()
        if time.time() > moment + WITHIN:
            raise NotWorking(f"before the round, {missing} did not work within {WITHIN:.0f} s")
        await asyncio.sleep(0.05)


async def _recovered(probes: Probes, ready: float) -> dict[str, float | None]:
    """Seconds from the return to the first success after it, by kind; a moment of calm follows."""
    deadline = time.time() + WITHIN
    while time.time() < deadline and probes.waiting(ready):
        await asyncio.sleep(0.05)
    await asyncio.sleep(CALM)
    first = {kind: one.worked_after(ready) for kind, one in probes.results.items()}
    return {kind: None if at is None else round(at - ready, 3) for kind, at in first.items()}


def _unclear(caller: Caller, began: float, over: float) -> int:
    return sum(began <= call.began <= over and call.outcome is Outcome.UNKNOWN for call in caller.calls)


def unexplained_failures(calls: Sequence[Call], rounds: Sequence[Round]) -> list[Call]:
    """Calls with no clear answer that no round explains: none was under way, or it was over for 5 s."""

    def explained(call: Call) -> bool:
        return any(one.began <= call.ended and call.began <= one.ready + one.goal for one in rounds)

    return [call for call in calls if call.outcome is Outcome.UNKNOWN and not explained(call)]
