"""Every replica is replaced, one after another, under load; then what was acknowledged is looked for."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.stack import Stack
from shared.persistence.mongo import Document, Mongo
from tests.chaos import leftover_checks
from tests.chaos.api_reader import Api
from tests.chaos.caller import Call, Caller, Outcome, connect
from tests.chaos.checks import find_faults
from tests.chaos.journal_checks import CREATED
from tests.chaos.ledger import Ledger
from tests.chaos.load import Size, Tenant, make_tenant, under_load
from tests.rolling.replicas import EACH, SERVICES, Exit, deployed
from tests.rolling.steady_load import READ, WRITE, SteadyLoad
from tests.running_stack import RunningStack

READS = frozenset({READ, "read"})
KEYED = frozenset({WRITE, "create room", "create session", "start", "register"})
EXIT_SECONDS = 25.0
SETTLED_WITHIN = 60.0
LOOK_EVERY = 1.0
# Of what was to be asked: a machine that asks much less shows nothing of that rate.
MOST_LEFT_OUT = 0.05


@dataclass(frozen=True)
class Plan:
    """`rate`: requests a second beside what the hosts and viewers of `size` do."""

    rate: float = 200.0
    size: Size = field(default_factory=lambda: Size(hosts=2, viewers=4))
    calm: float = 1.0
    seed: int = 1


@dataclass(frozen=True)
class Result:
    """`failed`: calls without a success, by whether they read, had a key, or neither.

    `faults`: what failed, was lost, was done twice or stopped badly; empty in a good run.
    """

    began: float
    seconds: float
    exits: list[Exit]
    calls: list[Call]
    left_out: int
    failed: dict[str, list[Call]]
    counts: dict[str, int]
    settled: float
    faults: list[str]


async def run(stack: RunningStack, plan: Plan, folder: Path, say: Callable[[str], None]) -> Result:
    """Raises RuntimeError if the load cannot begin, and TimeoutError for a replica that never gets ready."""
    async with deployed(stack, folder) as deployment, connect(stack.info.base_url) as http:
        caller, rng = Caller(http), random.Random(plan.seed)
        tenant = await make_tenant(caller, stack.info, plan.size.hosts + 1)
        steady = SteadyLoad(caller, tenant.accounts[-1:], plan.rate, rng)
        users = tenant.accounts[:-1]
        exits: list[Exit] = []
        began, clock = time.time(), time.monotonic()
        async with under_load(caller, stack.info, users, plan.size, rng) as ledger, steady.running():
            await asyncio.sleep(plan.calm)
            for name in SERVICES:
                for number in range(EACH):
                    exits.append(await deployment.replace(name, number))
                    say(_told(exits[-1]))
            await asyncio.sleep(plan.calm)
        seconds, calls = time.monotonic() - clock, list(caller.calls)
        settled, lost = await _settle(stack.info, Api(caller), tenant, ledger, steady)
    failed = failures(calls)
    late = [
        f"{one.name} ended with status {one.status} after {one.seconds:.1f} s"
        for one in exits
        if one.status or one.seconds > EXIT_SECONDS
    ]
    said = [
        f"{call.kind}: {call.status} {call.code} at {call.ended - began:.1f} s, after {call.took:.1f} s"
        for kind in ("read", "keyed")
        for call in failed[kind]
    ]
    counts = ledger.counts() | {"steady rooms": len(steady.rooms), "steady sessions": len(steady.sessions)}
    faults = [*late, *said, *lost, *too_slow(calls, steady.left_out)]
    return Result(began, seconds, exits, calls, steady.left_out, failed, counts, settled, faults)


def _told(one: Exit) -> str:
    ended = f"ended with {one.status} after {one.seconds:.1f} s"
    return f"{one.name}: {ended}, replaced after {one.replaced_after:.1f} s"


def failures(calls: Sequence[Call]) -> dict[str, list[Call]]:
    """Steady calls must succeed; of the others a refusal may be right, and no answer never is."""
    failed: dict[str, list[Call]] = {"read": [], "keyed": [], "other": []}
    for call in calls:
        wanted = {Outcome.ACKNOWLEDGED} if call.kind in {READ, WRITE} else set(Outcome) - {Outcome.UNKNOWN}
        if call.outcome not in wanted:
            kind = "read" if call.kind in READS else "keyed" if call.kind in KEYED else "other"
            failed[kind].append(call)
    return failed


def too_slow(calls: Sequence[Call], left_out: int) -> list[str]:
    """Whether much of the steady load was never sent."""
    due = left_out + sum(call.kind in {READ, WRITE} for call in calls)
    if left_out <= MOST_LEFT_OUT * due:
        return []
    return [f"{left_out} of {due} requests were not sent in time: this machine does not reach the rate"]


async def _settle(
    stack: Stack, api: Api, tenant: Tenant, ledger: Ledger, steady: SteadyLoad
) -> tuple[float, list[str]]:
    """Look until there are no faults, or what has to be is overdue."""
    began = time.monotonic()
    checks: list[Callable[[], Awaitable[list[str]]]] = [
        lambda: leftover_checks.unpublished(stack),
        lambda: leftover_checks.dead(stack),
        lambda: unseen(stack, steady),
        lambda: find_faults(api, tenant, ledger),
    ]
    while True:
        found = [fault for check in checks for fault in await check()]
        took = time.monotonic() - began
        if not found or took > SETTLED_WITHIN:
            return took, found
        await asyncio.sleep(LOOK_EVERY)


async def unseen(stack: Stack, steady: SteadyLoad) -> list[str]:
    """What was acknowledged and is not stored once, or not exactly once with whoever follows its events."""
    titles, ids = set(steady.rooms), set(steady.sessions.values())
    rooms = await _counted(stack.mongodb.session, "rooms", {"title": {"$regex": "^Steady"}}, "title")
    created = {"session_id": {"$in": sorted(ids)}, "name": CREATED}
    entries = await _counted(stack.mongodb.session, "journal", created, "session_id")
    found = [f"the room {title} is there {rooms[title]} times" for title in titles if rooms[title] != 1]
    found += [
        f"{CREATED} of {id} stands {entries[id]} times in the journal" for id in ids if entries[id] != 1
    ]
    for service, uri in (("egress", stack.mongodb.egress), ("attendance", stack.mongodb.attendance)):
        known = await _counted(uri, "sessions", {"_id": {"$in": sorted(ids)}}, "_id")
        found += [f"{service} does not know the session {id}" for id in ids if not known[id]]
    return found


async def _counted(uri: str, collection: str, query: Document, field_: str) -> Counter[str]:
    mongo = Mongo.from_uri(uri, timeout=30)
    try:
        documents = await mongo.collection(collection).find(query, fields=[field_])
    finally:
        mongo.close()
    return Counter(document[field_] for document in documents)
