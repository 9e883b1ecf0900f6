"""A whole run: load, one round after the other, then the checks."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from deploy.demo.progress import ProgressDisplay
from tests.chaos import leftover_checks, memory
from tests.chaos.api_reader import Api
from tests.chaos.caller import Call, Caller, connect
from tests.chaos.checks import find_faults
from tests.chaos.ledger import Ledger
from tests.chaos.load import Size, Tenant, make_tenant, under_load
from tests.chaos.probes import Probes
from tests.chaos.rounds import FROZEN, GOAL_SECONDS, Round, freeze, kill, unexplained_failures
from tests.chaos.webhook_sender import WebhookSender
from tests.running_stack import RunningStack

# Everything that was told has reached everybody within this, once all is back.
SETTLED_WITHIN = 45.0
LOOK_EVERY = 1.0


@dataclass(frozen=True)
class Plan:
    """`killed` in turn, `times` over; then the broker frozen for `frozen_seconds` (0: not).

    Work has to go on within `goal_seconds` of each return.
    """

    killed: Sequence[str]
    times: int = 1
    frozen_seconds: float = 10.0
    warm_up: float = 3.0
    size: Size = field(default_factory=Size)
    seed: int = 1
    goal_seconds: float = GOAL_SECONDS


@dataclass(frozen=True)
class Result:
    """`faults`: what broke a promise; empty in a good run. `settled`: seconds from the end of the load."""

    began: float
    rounds: list[Round]
    calls: list[Call]
    memory: dict[str, list[float]]
    counts: dict[str, int]
    settled: float
    faults: list[str]


async def run(stack: RunningStack, plan: Plan, show: ProgressDisplay) -> Result:
    """Raises RuntimeError where the load cannot even begin, and NeverHappened for what does not come back."""
    began = time.time()
    async with connect(stack.info.base_url) as http, memory.sampled(stack) as samples:
        caller = Caller(http)
        tenant = await make_tenant(caller, stack.info, plan.size.hosts + 1)
        rounds, ledger = await _rounds(stack, plan, show, caller, tenant)
        with show.step("account") as step:
            settled, found = await _settle(stack, Api(caller), tenant, ledger)
            step.detail(f"{len(found)} faults, after {settled:.1f} s")
    lost = [
        f"{call.kind} failed for no reason that a round gives: {call.status} {call.code} "
        f"at {call.began - began:.1f} s"
        for call in unexplained_failures(caller.calls, rounds)
    ]
    every = [fault for one in rounds for fault in one.faults] + lost + found
    return Result(began, rounds, caller.calls, samples, ledger.counts(), settled, every)


async def _rounds(
    stack: RunningStack, plan: Plan, show: ProgressDisplay, caller: Caller, tenant: Tenant
) -> tuple[list[Round], Ledger]:
    rounds: list[Round] = []
    probes = Probes(caller, WebhookSender(caller, stack.info), tenant.accounts[-1])
    rng = random.Random(plan.seed)
    async with under_load(caller, stack.info, tenant.accounts[:-1], plan.size, rng) as ledger:
        await asyncio.sleep(plan.warm_up)
        for time_ in range(1, plan.times + 1):
            for name in plan.killed:
                with show.step(f"kill {name} ({time_} of {plan.times})") as step:
                    killed = await kill(stack, name, probes, caller)
                    rounds.append(replace(killed, goal=plan.goal_seconds))
                    step.detail(_told(rounds[-1]))
        if plan.frozen_seconds:
            with show.step(f"freeze {FROZEN} for {plan.frozen_seconds:.0f} s") as step:
                frozen = await freeze(stack, FROZEN, plan.frozen_seconds, probes, caller)
                rounds.append(replace(frozen, goal=plan.goal_seconds))
                step.detail(_told(rounds[-1]))
    return rounds, ledger


def _told(one: Round) -> str:
    took = ", ".join(
        f"{kind} {'never' if seconds is None else f'{seconds:.1f} s'}"
        for kind, seconds in one.recovered.items()
    )
    frozen = f", longest wait {one.longest_wait:.2f} s" if one.what == "freeze" else ""
    return f"away {one.ready - one.began:.1f} s; on again after: {took}; {one.unknown} calls unclear{frozen}"


async def _settle(stack: RunningStack, api: Api, tenant: Tenant, ledger: Ledger) -> tuple[float, list[str]]:
    """Look until there are no faults, or what has to be is overdue."""
    began = time.monotonic()
    checks: list[Callable[[], Awaitable[list[str]]]] = [
        lambda: leftover_checks.unpublished(stack.info),
        lambda: find_faults(api, tenant, ledger),
        lambda: leftover_checks.open_rooms(stack.info, ledger),
        lambda: leftover_checks.dead(stack.info),
    ]
    while True:
        found = [fault for check in checks for fault in await check()]
        took = time.monotonic() - began
        if not found or took > SETTLED_WITHIN:
            return took, found
        await asyncio.sleep(LOOK_EVERY)


def summary(calls: Sequence[Call]) -> dict[str, dict[str, Any]]:
    """By kind of call: how many of each outcome, and how long they took in milliseconds."""
    by_kind: dict[str, list[Call]] = {}
    for call in calls:
        by_kind.setdefault(call.kind, []).append(call)
    return {kind: _figures(made) for kind, made in sorted(by_kind.items())}


def _figures(calls: Sequence[Call]) -> dict[str, Any]:
    took = sorted(call.took for call in calls)
    outcomes = [call.outcome.value for call in calls]
    return {
        **{name: outcomes.count(name) for name in ("acknowledged", "refused", "unknown")},
        "p50_ms": round(took[len(took) // 2] * 1000, 1),
        "p99_ms": round(took[int(len(took) * 0.99)] * 1000, 1),
        "longest_ms": round(took[-1] * 1000, 1),
    }
