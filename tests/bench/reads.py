"""Reads through the gateway: cached, with a token, what it adds, and how old a cached answer may be."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from statistics import median

import aiohttp

from shared.access.identity import TokenIssuer, TokenVerifier
from shared.clock import SystemClock
from shared.persistence.mongo import Mongo
from shared.runtime.settings import base64url
from tests.bench.api import Api, connect, public_key
from tests.bench.baseline import bare
from tests.bench.load import Load
from tests.bench.ports import free_port
from tests.bench.raw_client import hammer
from tests.bench.rows import Row
from tests.bench.second_gateway import second_gateway
from tests.running_stack import RunningStack

AT_ONCE = 16
COLLECTION = "bench"


async def run(stack: RunningStack, *, short: bool) -> list[Row]:
    info = stack.info
    settings = {
        "mongodb_uri": info.mongodb.session,
        "collection": COLLECTION,
        "public_key": public_key(stack.data.root),
        "livekit_api_secret": info.livekit_api_secret,
    }
    rounds, seconds = (1, 0.3) if short else (7, 1.5)
    async with connect(info) as api:
        room = await api.room()
        session = await api.session(room, await api.preset())
        settings["same"] = await _text(api, f"/sessions/{session}")
        await _copy(info.mongodb.session, session)
        direct = f"http://127.0.0.1:{info.processes['session'].port}"
        async with bare(settings, free_port()) as address:
            return [
                await _cached(info.base_url, address, session, rounds, seconds),
                await _with_tokens(info.base_url, address, session, rounds, seconds, [[api.token]] * rounds),
                await _with_tokens(
                    info.base_url,
                    address,
                    session,
                    rounds,
                    seconds,
                    _fresh_tokens(stack, api.token, rounds, each=200 if short else 3000),
                ),
                await _hop(api, info.base_url, direct, session, 20 if short else 400),
                await _staleness(api, stack, room, 5 if short else 60),
            ]


async def _cached(base: str, bare_base: str, session: str, rounds: int, seconds: float) -> Row:
    ours, theirs = await _in_turn(
        rounds,
        lambda: hammer(f"{base}/sessions/{session}", at_once=AT_ONCE, seconds=seconds),
        lambda: hammer(f"{bare_base}/same", at_once=AT_ONCE, seconds=seconds),
    )
    return Row(
        "public read of a session, kept at the gateway",
        ours,
        "req/s",
        theirs,
        "a bare handler that returns the same bytes",
        goal=1.0,
    )


async def _with_tokens(
    base: str, bare_base: str, session: str, rounds: int, seconds: float, tokens: Sequence[Sequence[str]]
) -> Row:
    """`tokens` are those of each round."""
    mine, others = iter(tokens), iter(tokens)
    ours, theirs = await _in_turn(
        rounds,
        lambda: hammer(f"{base}/sessions/{session}", at_once=AT_ONCE, seconds=seconds, tokens=next(mine)),
        lambda: hammer(f"{bare_base}/read/{session}", at_once=AT_ONCE, seconds=seconds, tokens=next(others)),
    )
    known = len(tokens[0]) == 1
    return Row(
        f"read of a session with a token, {'verified before' if known else 'each verified twice'}",
        ours,
        "req/s",
        theirs,
        "a bare handler: verify JWT, the same find_one",
        goal=1.2 if known else 0.6,
        note="through gateway and service, with its room, host and the room's live session",
    )


def _fresh_tokens(stack: RunningStack, token: str, rounds: int, each: int) -> list[list[str]]:
    """Tokens of the same person that nobody has seen before, `each` for a round."""
    secrets = json.loads((stack.data.root / "secrets.json").read_text())
    issuer = TokenIssuer(base64url(secrets["identity_private_key"]), secrets["identity_kid"], SystemClock())
    verifier = TokenVerifier({secrets["identity_kid"]: secrets["identity_public_key"]}, SystemClock())
    caller = verifier.verify(token)
    names = iter(range(rounds * each))
    return [
        [issuer.issue(replace(caller, username=f"Host {next(names)}"))[0] for _ in range(each)]
        for _ in range(rounds)
    ]


async def _in_turn(
    rounds: int, ours: Callable[[], Awaitable[Load]], theirs: Callable[[], Awaitable[Load]]
) -> tuple[float, float]:
    """The median rates of both, measured by turns, so that a busy moment of the machine meets both."""
    pairs = [((await ours()).rate, (await theirs()).rate) for _ in range(rounds)]
    return median(ours for ours, _ in pairs), median(theirs for _, theirs in pairs)


async def _hop(api: Api, base: str, direct: str, session: str, calls: int) -> Row:
    """What the way through the gateway takes longer, one call at a time."""
    headers = {"Authorization": f"Bearer {api.token}"}
    times: dict[str, list[float]] = {base: [], direct: []}
    async with aiohttp.ClientSession(headers=headers) as http:
        for number in range(calls + 5):
            for where, taken in times.items():
                started = time.perf_counter()
                async with http.get(f"{where}/sessions/{session}") as answer:
                    await answer.read()
                if number >= 5:
                    taken.append(time.perf_counter() - started)
    ours, straight = median(times[base]) * 1000, median(times[direct]) * 1000
    return Row(
        "what the gateway adds to a read, p50",
        ours - straight,
        "ms",
        goal=0.6,
        at_most=True,
        absolute=True,
        difference=True,
        note=f"{straight:.2f} ms straight to the service",
    )


async def _staleness(api: Api, stack: RunningStack, room: str, changes: int) -> Row:
    """How long another gateway gives what was before, after the writer was answered."""
    waits: list[float] = []
    async with second_gateway(stack) as elsewhere, aiohttp.ClientSession() as http:
        for number in range(changes):
            title = f"Title {number}"
            await _title(http, f"{elsewhere}/rooms/{room}")
            await api.call("PATCH", f"/rooms/{room}", {"title": title})
            written = time.perf_counter()
            while await _title(http, f"{elsewhere}/rooms/{room}") != title:
                await asyncio.sleep(0)
            waits.append(time.perf_counter() - written)
            if await _title(api.http, f"/rooms/{room}") != title:
                raise RuntimeError("the writer was given what was before")
    waits.sort()
    return Row(
        "age of what another gateway gives after a change, p99",
        waits[int(len(waits) * 0.99)] * 1000,
        "ms",
        # The second that an answer is kept, and the read after it.
        goal=1100,
        at_most=True,
        absolute=True,
        note=f"p50 {median(waits) * 1000:.1f} ms, most {waits[-1] * 1000:.0f} ms; the writer's own: never",
    )


async def _title(http: aiohttp.ClientSession, url: str) -> str:
    async with http.get(url) as answer:
        return str((await answer.json())["data"]["title"])


async def _text(api: Api, path: str) -> str:
    async with api.http.get(path) as answer:
        return await answer.text()


async def _copy(mongodb_uri: str, session: str) -> None:
    """The document that the service reads, for the baseline."""
    mongo = Mongo.from_uri(mongodb_uri)
    document = await mongo.collection("sessions").find_one({"_id": session})
    if document is None:
        raise RuntimeError("the session is not stored")
    await mongo.collection(COLLECTION).insert(document)
    mongo.close()
