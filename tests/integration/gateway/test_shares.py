"""What one client may hold of what all share: uploads, downloads, connections, and time."""

import asyncio
import gc
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from services.gateway.http.client_pace import SLOWEST
from shared.errors import AppError
from tests.integration.gateway.fixtures import KEY_ID, ROOM, Endless, GatewayFixture, Handler, bearer, running

# As many as the pool has: 64 in all, of which uploads may use 16, and downloads 48; one client alone half.
CONNECTIONS = 64
OTHER = {"X-Forwarded-For": "192.0.2.9"}
UPLOAD = f"/sessions/{ROOM}/chat/files"


@pytest.fixture
async def shared() -> AsyncIterator[GatewayFixture]:
    patient: dict[str, object] = {"upstream_deadline_seconds": 60.0, "body_read_seconds": 60.0}
    patient["rate_limit_chat"] = "1000/second"
    async with running(trusted_proxies="127.0.0.1", upstream_connections=CONNECTIONS, **patient) as gateway:
        yield gateway


async def stalled(gateway: GatewayFixture, path: str, announced: int, sent: int) -> asyncio.StreamWriter:
    """A connection that has begun a body and does not go on."""
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    authorization = bearer()["Authorization"]
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nContent-Length: {announced}"
    writer.write(head.encode() + b"\r\n\r\n" + b"x" * sent)
    await writer.drain()
    return writer


async def upload(gateway: GatewayFixture, **headers: str) -> int:
    async with gateway.http.post(UPLOAD, data=b"x" * 200_000, headers=bearer() | headers) as answer:
        return answer.status


async def test_stalled_uploads_of_one_client_leave_the_others_theirs(shared: GatewayFixture) -> None:
    asked = asyncio.Semaphore(0)

    async def take(request: web.Request) -> web.StreamResponse:
        asked.release()
        await request.read()
        return web.json_response({})

    shared.session.handler = take
    writers = [await stalled(shared, UPLOAD, 900_000, 70_000) for _ in range(CONNECTIONS)]
    async with asyncio.timeout(30):
        for _ in range(8):
            await asked.acquire()
        assert await asyncio.gather(*(upload(shared, **OTHER) for _ in range(8))) == [200] * 8
        # Of the stalled ones none came through while others had places.
        assert shared.session.seen == 8 + 8
        async with shared.http.get("/sessions/stats", headers=bearer()) as answer:
            assert answer.status == 200
    for writer in writers:
        writer.transport.abort()
    async with asyncio.timeout(30):
        assert await upload(shared) == 200


async def test_a_form_that_stalls_holds_nothing_of_a_service(shared: GatewayFixture) -> None:
    writers = [
        await stalled(shared, "/auth/viewer/register", announced, 5_000)
        for announced in (8_000, 66_000)
        for _ in range(CONNECTIONS)
    ]
    async with asyncio.timeout(30):
        assert await upload(shared) == 200
    assert shared.session.seen == 1
    for writer in writers:
        writer.transport.abort()


def answering(size: int) -> Handler:
    """A service whose every answer has so many bytes."""

    async def large(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(size // 65_536):
            await response.write(b"x" * 65_536)
        return response

    return large


FILE, JSON = "/hls/x/segment_1.ts", f"/recordings/{ROOM}"


@pytest.mark.parametrize(("path", "others"), [(FILE, "wait"), (JSON, "are refused")])
async def test_who_does_not_take_large_answers_leaves_the_others_theirs(
    shared: GatewayFixture, path: str, others: str
) -> None:
    shared.egress.handler = answering(400 * 65_536)
    lazy = [await asyncio.open_connection("127.0.0.1", shared.port) for _ in range(CONNECTIONS)]
    for _, writer in lazy:
        authorization = bearer()["Authorization"]
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n\r\n".encode())
    lines = [asyncio.create_task(reader.readline()) for reader, _ in lazy]
    answered = 24 if others == "wait" else CONNECTIONS
    async with asyncio.timeout(30):
        while sum(line.done() for line in lines) < answered:
            await asyncio.sleep(0.01)
        # Of those who wait none has a connection to the service.
        assert shared.egress.seen == answered
        async with shared.http.get(path, headers=bearer() | OTHER) as answer:
            assert (answer.status, len(await answer.read())) == (200, 400 * 65_536)
    statuses = [int(line.result().split()[1]) for line in lines if line.done()]
    assert statuses.count(200) == 24
    for _, writer in lazy:
        writer.transport.abort()
    await asyncio.gather(*lines, return_exceptions=True)


async def test_an_audience_behind_one_address_gets_all_its_segments() -> None:
    """With the default settings: more people at once than there are connections to the service."""
    people = aiohttp.TCPConnector(limit=0)
    async with (
        running(upstream_deadline_seconds=240.0) as gateway,
        aiohttp.ClientSession(gateway.url, connector=people) as http,
    ):
        gateway.egress.handler = answering(2 * 65_536)

        async def watch() -> int:
            async with http.get(FILE) as answer:
                return len(await answer.read())

        assert await asyncio.gather(*(watch() for _ in range(500))) == [2 * 65_536] * 500


async def test_a_client_that_takes_a_little_now_and_then_is_let_go() -> None:
    """Each byte would be in time, and all of them together take for ever."""
    endless = Endless()
    async with running(upstream_deadline_seconds=1.0) as gateway:
        gateway.egress.handler = endless
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1024)
        writer.write(b"GET /hls/x/live.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(30):
            while not endless.over.is_set():
                if not await reader.read(1):
                    break
                await asyncio.sleep(0.05)
            await endless.over.wait()
        writer.close()


async def test_a_body_that_dribbles_ends_however_much_it_announced() -> None:
    async with running(body_read_seconds=0.5) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        authorization = bearer()["Authorization"]
        head = f"POST {UPLOAD} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n"
        writer.write(head.encode() + b"Content-Length: 100000000\r\n\r\n" + b"x" * SLOWEST)
        async with asyncio.timeout(30):
            answer = asyncio.create_task(reader.readline())
            while not answer.done():
                writer.write(b"x")
                await asyncio.wait([answer], timeout=0.05)
        assert b" 408 " in answer.result()
        writer.close()


@pytest.mark.parametrize(("trusted", "held"), [("", 3), ("127.0.0.1", 6)])
async def test_one_address_has_so_many_connections_and_a_proxy_as_many_as_it_likes(
    trusted: str, held: int
) -> None:
    async with running(address_connections=3, trusted_proxies=trusted) as gateway:
        ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        opened = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(6)]

        async def lives(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
            try:
                writer.write(ask)
                return (await reader.readline()).startswith(b"HTTP/1.1 200")
            except ConnectionError:
                return False

        async with asyncio.timeout(20):
            assert [await lives(*one) for one in opened].count(True) == held
            for _, writer in opened:
                writer.close()
            while not await lives(*await asyncio.open_connection("127.0.0.1", gateway.port)):
                await asyncio.sleep(0.02)


def refusals() -> list[object]:
    """By their own type: `isinstance` would ask weak references for what they refer to."""
    return [one for one in gc.get_objects() if issubclass(type(one), AppError)]


async def test_made_up_keys_leave_nothing_behind(gateway: GatewayFixture) -> None:
    """Of a refusal neither the error nor its traceback is kept, not even until garbage is collected."""
    gc.collect()
    gc.disable()
    before = refusals()
    try:
        for number in range(30):
            headers = {"X-API-Key": f"{KEY_ID}.made-up-{number}"}
            async with gateway.http.get("/presets", headers=headers) as answer:
                assert answer.status == 401
        kept = refusals()
    finally:
        gc.enable()
    assert gateway.session.exchanges == 30
    assert len(kept) - len(before) <= 1
