"""Services that are slow, dead or dying, and clients that are no better."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientError, ClientPayloadError, web

from tests.integration.gateway.fixtures import ROOM, Endless, GatewayFixture, bearer, running

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[str]:
    """A service on a bare socket: `script` gets each connection and its number; yields its URL."""
    count = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        try:
            await script(reader, writer, count)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _refusal(gateway: GatewayFixture, method: str = "GET", path: str = "/rooms") -> tuple[int, str]:
    async with gateway.http.request(method, path) as answer:
        body = await answer.json()
    assert body["success"] is False
    assert "X-Request-Id" in answer.headers
    return answer.status, body["code"]


async def test_a_service_that_is_not_there(gateway: GatewayFixture) -> None:
    await gateway.session.stop()
    assert await _refusal(gateway) == (503, "upstream_unreachable")
    await gateway.session.start()
    async with gateway.http.get("/rooms") as answer:
        assert answer.status == 200


async def test_a_service_that_does_not_answer_in_time() -> None:
    cancelled = asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    async with running(upstream_deadline_seconds=0.2) as gateway:
        gateway.session.handler = hang
        assert await _refusal(gateway) == (504, "deadline_exceeded")
        await asyncio.wait_for(cancelled.wait(), 5)


async def test_a_service_that_breaks_off_before_it_answers() -> None:
    async def hang_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter, __: int) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with scripted(hang_up) as url, running(session_url=url) as gateway:
        assert await _refusal(gateway) == (502, "bad_gateway")
        assert await _refusal(gateway, "POST", "/auth/refresh") == (502, "bad_gateway")


async def test_a_service_that_talks_nonsense() -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        await writer.drain()

    async with scripted(nonsense) as url, running(session_url=url) as gateway:
        assert await _refusal(gateway) == (502, "bad_gateway")


@pytest.mark.parametrize(
    "length", [b"Content-Length: 100", b"Content-Length: 100000", b"Transfer-Encoding: chunked"]
)
async def test_half_an_answer_is_never_taken_for_the_whole(length: bytes) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n" + b"5\r\nabcde\r\n")
        await writer.drain()

    async with scripted(half) as url, running(session_url=url) as gateway:
        if length.endswith(b" 100"):
            assert await _refusal(gateway) == (502, "bad_gateway")
            return
        with pytest.raises((ClientPayloadError, ClientError)):
            async with gateway.http.get("/rooms", headers=bearer()) as answer:
                await answer.read()


KEY = {"Idempotency-Key": "k"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/rooms", {}, 200),
        ("HEAD", "/rooms", {}, 200),
        ("POST", "/rooms", KEY, 200),
        ("POST", "/rooms", {}, 502),
        ("POST", "/auth/refresh", KEY, 502),  # it knows no such key
        ("PATCH", f"/rooms/{ROOM}", KEY, 502),
    ],
)
async def test_what_a_dying_service_left_unanswered_is_sent_again_if_it_may_arrive_twice(
    method: str, path: str, headers: dict[str, str], status: int
) -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(_OK)
            await writer.drain()
            if number == 1:
                # Keeps the connection, and drops it on its second request, unanswered.
                await reader.readuntil(b"\r\n\r\n")
                return

    async with scripted(once) as url, running(session_url=url) as gateway:
        async with gateway.http.get("/rooms") as answer:
            assert answer.status == 200
        async with gateway.http.request(method, path, headers=bearer() | headers) as answer:
            assert answer.status == status


async def test_half_of_an_answer_to_a_keyed_write_is_asked_for_again() -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_OK[:-1] if number == 1 else _OK)
        await writer.drain()

    async with (
        scripted(once) as url,
        running(session_url=url) as gateway,
        gateway.http.post("/rooms", headers=bearer() | KEY) as answer,
    ):
        assert (answer.status, await answer.read()) == (200, b"ok")


async def test_a_service_that_is_never_well_is_asked_twice() -> None:
    asked = 0

    async def hang_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter, number: int) -> None:
        nonlocal asked
        asked = number
        await reader.readuntil(b"\r\n\r\n")

    async with scripted(hang_up) as url, running(session_url=url) as gateway:
        async with gateway.http.post("/rooms", headers=bearer() | KEY) as answer:
            assert answer.status == 502
        assert asked == 2


async def test_a_stopping_gateway_asks_its_clients_to_connect_again(gateway: GatewayFixture) -> None:
    async def large(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * 1_000_000)

    async with gateway.http.get("/rooms") as answer:
        assert "Connection" not in answer.headers
    gateway.health.stopping = True
    for path in ("/rooms", "/rooms?page=2", "/nowhere", "/healthz"):
        async with gateway.http.get(path) as answer:
            assert answer.headers["Connection"] == "close"
    gateway.session.handler = large
    async with gateway.http.get("/rooms", headers=bearer()) as answer:
        assert answer.headers["Connection"] == "close"
        assert len(await answer.read()) == 1_000_000


async def test_a_webhook_that_we_could_not_pass_on_is_sent_again() -> None:
    async with running(body_read_seconds=0.1) as gateway:
        async with gateway.http.post("/webhooks/livekit", data=b"x" * 2_000_000) as answer:
            assert answer.status == 503
        await gateway.egress.stop()
        async with gateway.http.post("/webhooks/livekit", data=b"x") as answer:
            assert answer.status == 503


async def test_a_client_that_goes_away_ends_the_call_to_the_service(gateway: GatewayFixture) -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    gateway.session.handler = hang
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(b"GET /rooms HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.wait_for(started.wait(), 5)
    writer.close()
    await asyncio.wait_for(cancelled.wait(), 5)


async def test_a_client_that_does_not_send_its_body_in_time() -> None:
    async with running(body_read_seconds=0.1) as gateway:
        for announced in (b"Content-Length: 10\r\n", b"Content-Length: 8000\r\n"):
            answer = await _talk(
                gateway, b"POST /auth/refresh HTTP/1.1\r\nHost: x\r\n" + announced + b"\r\nabc", 30
            )
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert b'"code":"request_timeout"' in answer


async def test_a_client_that_does_not_finish_its_head_is_let_go() -> None:
    async with running(keepalive_seconds=0.2) as gateway:
        assert await _talk(gateway, b"GET /rooms HTTP/1.1\r\nHost: x\r\nA: ", 10) == b""


async def test_a_client_that_does_not_read_its_answer_holds_no_service() -> None:
    endless = Endless()
    async with running(upstream_deadline_seconds=0.3) as gateway:
        gateway.session.handler = endless
        _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(b"GET /rooms HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.wait_for(endless.over.wait(), 10)
        writer.close()


async def test_a_slow_upload_is_not_the_service_s_fault() -> None:
    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 10_000
            await asyncio.sleep(0.05)

    async with (
        running(upstream_deadline_seconds=0.2) as gateway,
        gateway.http.post("/presets", data=slowly(), headers=bearer()) as answer,
    ):
        assert (await answer.json())["size"] == 100_000


def _post(*headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join(["POST /auth/refresh HTTP/1.1", "Host: x", *headers, "", ""]).encode() + body


_LONG = "x" * 9000
_NOT_PROPER = [
    (f"GET /{_LONG} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), 431, "head_too_large"),
    (_post(f"A: {_LONG}"), 431, "head_too_large"),
    (_post(*[f"A: {'x' * 8000}"] * 5), 431, "head_too_large"),
    (b"nonsense\r\n\r\n", 400, "not_http"),
    (_post("Content-Length: 3", "Transfer-Encoding: chunked", body=b"abc"), 400, "not_http"),
    (_post("Transfer-Encoding: chunked", body=b"zz\r\n"), 400, "not_http"),
]


@pytest.mark.parametrize(("sent", "status", "code"), _NOT_PROPER)
async def test_what_is_no_proper_request_is_refused_in_the_envelope(
    gateway: GatewayFixture, sent: bytes, status: int, code: str
) -> None:
    answer = await _talk(gateway, sent, 10)
    assert answer[:8] in {b"HTTP/1.0", b"HTTP/1.1"}
    assert answer[9:12] == b"%d" % status
    assert b'"code":"%s"' % code.encode() in answer


async def test_a_client_that_goes_away_while_it_sends_is_not_the_service_s_failure(
    gateway: GatewayFixture,
) -> None:
    line = 'greenroom_http_request_seconds_count{operation="POST /auth/refresh",status="499"}'
    before = await _metric(gateway, line)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(_post("Transfer-Encoding: chunked", "Expect: 100-continue"))
    async with asyncio.timeout(10):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"5\r\nabcde\r\n")
        await writer.drain()
        writer.close()
        while await _metric(gateway, line) != before + 1:
            pass


async def test_a_client_that_asks_first_is_told_to_go_on_or_refused(gateway: GatewayFixture) -> None:
    asking = ("Connection: close", "Expect: 100-continue")
    assert (await _talk(gateway, _post(*asking, "Content-Length: 10000000"), 10)).startswith(b"HTTP/1.1 413 ")
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(_post(*asking, "Content-Length: 3"))
    async with asyncio.timeout(10):
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"body": "abc"' in answer
    assert b"expect" not in answer
    writer.close()


async def test_old_clients_without_keep_alive_or_chunks_are_served(gateway: GatewayFixture) -> None:
    async def streamed(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"streamed")
        return response

    gateway.session.handler = streamed
    answer = await _talk(gateway, b"GET /rooms HTTP/1.0\r\n\r\n", 10)
    assert answer.startswith(b"HTTP/1.0 200 ")
    assert answer.endswith(b"\r\n\r\nstreamed")


async def test_pipelined_requests_are_answered_in_order(gateway: GatewayFixture) -> None:
    first = b"GET /rooms?n=1 HTTP/1.1\r\nHost: x\r\n\r\n"
    sent = first + b"GET /rooms?n=2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = await _talk(gateway, sent, 10)
    assert 0 < answer.index(b"/rooms?n=1") < answer.index(b"/rooms?n=2")


async def test_a_reset_connection_leaves_the_gateway_well(gateway: GatewayFixture) -> None:
    for _ in range(20):
        raw = socket.create_connection(("127.0.0.1", gateway.port))
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.sendall(b"POST /auth/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc")
        raw.close()
    async with gateway.http.get("/rooms") as answer:
        assert answer.status == 200


async def _talk(gateway: GatewayFixture, sent: bytes, seconds: float) -> bytes:
    """All that the gateway says to `sent` until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(sent)
    async with asyncio.timeout(seconds):
        answer = await reader.read()
    writer.close()
    return answer


async def _metric(gateway: GatewayFixture, line: str) -> float:
    async with gateway.http.get("/metrics") as answer:
        found = [text for text in (await answer.text()).splitlines() if text.startswith(line)]
    return float(found[0].rpartition(" ")[2]) if found else 0.0
