"""Creating, starting and joining sessions, beside bare handlers and LiveKit's own API."""

import aiohttp
from livekit import api as livekit

from shared.ids import new_id
from tests.bench.api import Api, connect, public_key
from tests.bench.baseline import bare
from tests.bench.load import Call, Load, closed
from tests.bench.ports import free_port
from tests.bench.rows import Row
from tests.running_stack import RunningStack

AT_ONCE = 16


async def run(stack: RunningStack, *, short: bool) -> list[Row]:
    settings = {
        "mongodb_uri": stack.info.mongodb.session,
        "collection": "bench",
        "public_key": public_key(stack.data.root),
        "livekit_api_secret": stack.info.livekit_api_secret,
    }
    many, few = (48, 8) if short else (600, 120)
    async with connect(stack.info) as api, bare(settings, free_port()) as address:
        return [
            await _create(api, address, many),
            await _start(api, stack, few),
            await _join(api, address, many),
        ]


async def _create(api: Api, address: str, calls: int) -> Row:
    room, preset = await api.room(), await api.preset()
    body = {"title": "Benchmark", "preset_id": preset}
    headers = {"Authorization": f"Bearer {api.token}"}

    async def barely(_: int) -> None:
        await _post(api.http, f"{address}/create", headers, body)

    async def ours(_: int) -> None:
        await api.session(room, preset)

    base, own = await _both(calls, barely, ours)
    return Row(
        "create a session",
        own.rate,
        "req/s",
        base.rate,
        "bare handler: verify the token, journaled insert_one",
        goal=0.4,
        note=f"p50 {own.percentile(0.5):.0f} ms, {AT_ONCE} at once",
    )


async def _start(api: Api, stack: RunningStack, calls: int) -> Row:
    preset = await api.preset()
    sessions = [await api.session(await api.room(), preset) for _ in range(calls)]
    info = stack.info
    url = info.livekit_url.replace("ws", "http", 1)
    async with livekit.LiveKitAPI(url, info.livekit_api_key, info.livekit_api_secret) as server:

        async def barely(_: int) -> None:
            await server.room.create_room(livekit.CreateRoomRequest(name=new_id(), empty_timeout=5))

        async def ours(number: int) -> None:
            await api.call("POST", f"/sessions/{sessions[number]}/start")

        base, own = await _both(calls, barely, ours)
    for session in sessions:
        await api.call("POST", f"/sessions/{session}/end")
    note = f"p50 {own.percentile(0.5):.0f} ms"
    return Row("start a session", own.rate, "req/s", base.rate, "livekit-api CreateRoom", goal=0.4, note=note)


async def _join(api: Api, address: str, calls: int) -> Row:
    session = await api.session(await api.room(), await api.preset())
    await api.call("POST", f"/sessions/{session}/start")
    viewer = await api.viewer()
    headers = {"Authorization": f"Bearer {viewer}"}

    async def barely(_: int) -> None:
        await _post(api.http, f"{address}/join/{session}", headers)

    async def ours(_: int) -> None:
        await api.call("POST", f"/sessions/{session}/join", token=viewer)

    base, own = await _both(calls, barely, ours)
    await api.call("POST", f"/sessions/{session}/end")
    return Row(
        "join a session",
        own.rate,
        "req/s",
        base.rate,
        "bare handler: verify the token, find_one, mint a token",
        goal=0.5,
        note=f"p50 {own.percentile(0.5):.0f} ms, {AT_ONCE} at once",
    )


async def _both(calls: int, barely: Call, ours: Call) -> tuple[Load, Load]:
    """The baseline and ours, each warmed up first."""
    await closed(min(calls, 8), 4, barely)
    base = await closed(calls, AT_ONCE, barely)
    return base, await closed(calls, AT_ONCE, ours)


async def _post(http: aiohttp.ClientSession, url: str, headers: dict[str, str], body: object = None) -> None:
    async with http.post(url, json=body, headers=headers) as response:
        await response.read()
        response.raise_for_status()
