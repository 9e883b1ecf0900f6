"""LiveKit's webhooks at 300/s: answered quickly, none lost, and soon known to the other services."""

import asyncio
import base64
import hashlib
import json
import time
from typing import Any

import aiohttp
import jwt

from shared.ids import new_id
from shared.persistence.mongo import Collection, Mongo
from tests.bench.api import connect, public_key
from tests.bench.baseline import bare
from tests.bench.load import Load, steady
from tests.bench.ports import free_port
from tests.bench.rows import Row
from tests.running_stack import RunningStack

PER_SECOND = 300.0
SAMPLE = 10
APPLIED_WITHIN = 2.0
DEADLINE = 60.0
# Seconds, LiveKit's own.
RETRIED_AFTER = (0, 1, 2, 4)


async def run(stack: RunningStack, *, short: bool) -> list[Row]:
    info, calls = stack.info, 300 if short else 6000
    settings = {
        "mongodb_uri": info.mongodb.egress,
        "collection": "bench",
        "public_key": public_key(stack.data.root),
        "livekit_api_secret": info.livekit_api_secret,
    }
    mongo = Mongo.from_uri(info.mongodb.attendance)
    try:
        async with connect(info) as api, bare(settings, free_port()) as address:
            session = await api.session(await api.room(), await api.preset())
            await api.call("POST", f"/sessions/{session}/start")
            base = await _send(api.http, f"{address}/webhook", stack, new_id(), calls)
            rows = await _ours(api.http, stack, session, calls, base, mongo)
            await api.call("POST", f"/sessions/{session}/end")
            return rows
    finally:
        mongo.close()


async def _ours(
    http: aiohttp.ClientSession, stack: RunningStack, session: str, calls: int, base: Load, mongo: Mongo
) -> list[Row]:
    presences, webhook_url = mongo.collection("presences"), _webhook_url(stack)
    load = await _send(http, webhook_url, stack, session, calls)
    started = time.perf_counter()
    applied = await _applied(presences, session, calls)
    seconds = time.perf_counter() - started
    latencies = await _latencies(http, webhook_url, stack, session, presences, min(calls, 2000))
    return [
        Row(
            f"webhook answer at {PER_SECOND:.0f}/s, p99",
            load.percentile(0.99),
            "ms",
            base.percentile(0.99),
            "bare handler: verify, journaled insert_one, same load",
            goal=3.0,
            at_most=True,
            note=f"stored before the 200; p50 {load.percentile(0.5):.1f} ms; {load.rate:.0f}/s answered",
        ),
        Row(
            "all webhooks applied after the last",
            seconds,
            "s",
            goal=APPLIED_WITHIN,
            at_most=True,
            absolute=True,
            note=f"{applied:,} of {calls:,} connections known to attendance",
        ),
        Row(
            "event, from the write to another service's state, at 200/s, p99",
            latencies[min(len(latencies) - 1, int(len(latencies) * 0.99))] * 1000,
            "ms",
            goal=150.0,
            at_most=True,
            absolute=True,
            note=f"p50 {latencies[len(latencies) // 2] * 1000:.0f} ms, on the local database",
        ),
    ]


async def _send(http: aiohttp.ClientSession, url: str, stack: RunningStack, session: str, calls: int) -> Load:
    """`participant_joined` of so many people, at a steady rate."""
    parcels = [_joined(stack, session, number) for number in range(calls)]

    async def call(number: int) -> None:
        body, headers = parcels[number]
        async with http.post(url, data=body, headers=headers) as response:
            await response.read()
            response.raise_for_status()

    return await steady(calls, PER_SECOND, call)


async def _applied(presences: Collection, session: str, calls: int) -> int:
    """Wait until attendance knows all of them; a hundred at a time, so that asking costs it little."""
    missing = [_sid(session, number) for number in range(calls)]
    async with asyncio.timeout(DEADLINE):
        while missing:
            known = await _known(presences, missing[:100])
            missing = [sid for sid in missing[:100] if sid not in known] + missing[100:]
            await asyncio.sleep(0 if known else 0.05)
    return calls - len(missing)


async def _known(presences: Collection, sids: list[str]) -> frozenset[str]:
    documents = await presences.find({"_id": {"$in": sids}}, fields=["_id"])
    return frozenset(document["_id"] for document in documents)


async def _latencies(
    http: aiohttp.ClientSession,
    url: str,
    stack: RunningStack,
    session: str,
    presences: Collection,
    calls: int,
) -> list[float]:
    """Seconds from each sampled webhook's answer until attendance has the connection, ascending."""
    parcels = [_joined(stack, session, number, run="again") for number in range(calls)]
    answered: dict[str, float] = {}

    async def call(number: int) -> None:
        body, headers = parcels[number]
        async with http.post(url, data=body, headers=headers) as response:
            await response.read()
        if number % SAMPLE == 0:
            answered[_sid(session, number, "again")] = time.perf_counter()

    looking = asyncio.create_task(_seconds_until_known(presences, answered, len(range(0, calls, SAMPLE))))
    await steady(calls, 200.0, call)
    return sorted(await looking)


async def _seconds_until_known(presences: Collection, answered: dict[str, float], count: int) -> list[float]:
    """Of each in `answered` (sid and moment), which fills meanwhile; all asked for at once every 5 ms."""
    seconds: list[float] = []
    async with asyncio.timeout(DEADLINE):
        while len(seconds) < count:
            known = await _known(presences, list(answered)) if answered else ()
            now = time.perf_counter()
            seconds += [now - answered.pop(sid) for sid in known]
            await asyncio.sleep(0.005)
    return seconds


def _webhook_url(stack: RunningStack) -> str:
    """Where LiveKit posts: straight to the egress service."""
    return f"http://127.0.0.1:{stack.info.processes['egress'].port}/webhooks/livekit"


async def deliver_joined(http: aiohttp.ClientSession, stack: RunningStack, session: str, number: int) -> bool:
    """Have LiveKit tell that another person joined the session; False where it gives up, as LiveKit does."""
    body, headers = _joined(stack, session, number)
    for pause in RETRIED_AFTER:
        await asyncio.sleep(pause)
        async with http.post(_webhook_url(stack), data=body, headers=headers) as response:
            if response.status != 503:
                response.raise_for_status()
                return True
    return False


def _sid(session: str, number: int, run: str = "once") -> str:
    return f"PA_{run}_{number}_{session[-12:]}"


def _joined(
    stack: RunningStack, session: str, number: int, run: str = "once"
) -> tuple[bytes, dict[str, str]]:
    """A signed `participant_joined`, as LiveKit sends it."""
    now = time.time()
    webhook: dict[str, Any] = {
        "event": "participant_joined",
        "id": f"EV_{new_id()}",
        "createdAt": str(int(now)),
        "room": {"sid": "RM_bench", "name": session},
        "participant": {
            "sid": _sid(session, number, run),
            "identity": f"{new_id()}:{new_id()}",
            "name": f"Viewer {number}",
            "state": "ACTIVE",
            "joinedAt": str(int(now)),
            "joinedAtMs": str(int(now * 1000)),
            "permission": {"canSubscribe": True},
            "attributes": {"greenroom.role": "audience"},
        },
    }
    body = json.dumps(webhook).encode()
    claims = {
        "iss": stack.info.livekit_api_key,
        "nbf": int(now) - 5,
        "exp": int(now) + 300,
        "sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
    }
    token = jwt.encode(claims, stack.info.livekit_api_secret, algorithm="HS256")
    return body, {"Authorization": token, "Content-Type": "application/webhook+json"}
