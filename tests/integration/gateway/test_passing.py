"""What goes through the gateway, and how."""

import asyncio
import gzip
import hashlib
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from services.gateway.routing.table import DEFAULT_BODY_LIMIT
from tests.integration.gateway.fixtures import LIBRARY, ROOM, GatewayFixture, bearer, running


async def test_a_request_and_its_answer_pass_unchanged(gateway: GatewayFixture) -> None:
    headers = bearer() | {"Accept": "x/y", "User-Agent": "me"}
    async with gateway.http.get(
        gateway.exactly(f"/rooms/{ROOM}?a=1&b=%2F%20x&a=2"), headers=headers
    ) as answer:
        seen = await answer.json()
    assert answer.status == 200
    assert seen["method"] == "GET"
    assert seen["target"] == f"/rooms/{ROOM}?a=1&b=%2F%20x&a=2"
    assert seen["headers"]["accept"] == ["x/y"]
    assert seen["headers"]["user-agent"] == ["me"]
    assert seen["headers"]["x-forwarded-for"] == ["127.0.0.1"]
    assert seen["headers"]["x-forwarded-host"] == [f"127.0.0.1:{gateway.port}"]
    assert seen["headers"]["x-request-id"] == [answer.headers["X-Request-Id"]]
    assert answer.headers["Server"] == "greenroom"


async def test_each_operation_goes_to_its_own_service(gateway: GatewayFixture) -> None:
    async with gateway.http.get("/rooms"):
        pass
    async with gateway.http.get(f"/sessions/{ROOM}/viewers", headers=bearer()):
        pass
    async with gateway.http.post(
        "/webhooks/livekit", data=b"x", headers={"Authorization": "signed"}
    ) as answer:
        seen = await answer.json()
    assert (gateway.session.seen, gateway.attendance.seen, gateway.egress.seen) == (1, 1, 1)
    assert seen["headers"]["authorization"] == ["signed"]


async def test_webhooks_can_be_left_to_the_service_behind() -> None:
    """Where LiveKit reaches it directly; other callbacks go on."""
    async with running(livekit_webhooks=False) as gateway:
        async with gateway.http.post("/webhooks/livekit", data=b"x") as answer:
            body = await answer.json()
        assert (answer.status, body["code"], gateway.egress.seen) == (404, "no_such_path", 0)
        async with gateway.http.post("/centrifugo/connect", data=b"{}") as answer:
            assert (answer.status, gateway.session.seen) == (200, 1)


@pytest.mark.parametrize(
    "path", ["/rooms/", "/internal/api-keys/exchange", "/rooms/%2e%2e/internal", "/nothing"]
)
async def test_what_is_not_in_the_table_is_not_there(gateway: GatewayFixture, path: str) -> None:
    async with gateway.http.post(gateway.exactly(path), data=b"{}") as answer:
        body = await answer.json()
    assert (answer.status, body["success"], body["code"]) == (404, False, "no_such_path")
    assert (gateway.session.seen, gateway.session.exchanges) == (0, 0)


async def test_another_method_is_refused_with_those_allowed(gateway: GatewayFixture) -> None:
    async with gateway.http.put(f"/rooms/{ROOM}") as answer:
        body = await answer.json()
    assert (answer.status, body["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "DELETE, GET, HEAD, PATCH, OPTIONS"


async def test_a_mirrored_operation_is_passed_on_without_prefix_and_with_its_library(
    gateway: GatewayFixture,
) -> None:
    headers = {"X-Greenroom-Library": ROOM, "X-Greenroom-Admin": "1"}
    async with gateway.http.get(f"/libraries/{LIBRARY}/rooms?page=2", headers=headers) as answer:
        seen = await answer.json()
    assert seen["target"] == "/rooms?page=2"
    assert seen["headers"]["x-greenroom-library"] == [LIBRARY]
    assert "x-greenroom-admin" not in seen["headers"]
    async with gateway.http.get("/rooms", headers=headers) as answer:
        assert "x-greenroom-library" not in (await answer.json())["headers"]


@pytest.mark.parametrize(
    "path", ["/libraries/no-uuid/rooms", f"/libraries/{LIBRARY}/admin/users", "/libraries/rooms"]
)
async def test_no_library_and_no_mirror_are_not_found(gateway: GatewayFixture, path: str) -> None:
    async with gateway.http.get(path) as answer:
        assert answer.status == 404
    assert gateway.session.seen == 0


async def test_head_is_get_without_its_body(gateway: GatewayFixture) -> None:
    headers = bearer() | {"X-Request-Id": "same-for-both"}
    async with gateway.http.get("/rooms", headers=headers) as whole:
        size = len(await whole.read())
    async with gateway.http.head("/rooms", headers=headers) as answer:
        assert await answer.read() == b""
    assert answer.status == 200
    assert int(answer.headers["Content-Length"]) == size


@pytest.mark.parametrize("announced", [True, False])
async def test_head_of_a_large_answer_leaves_the_connection_usable(
    gateway: GatewayFixture, announced: bool
) -> None:
    async def large(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if announced:
            response.content_length = 1_000_000
        await response.prepare(request)
        await response.write(b"x" * 1_000_000)
        return response

    gateway.session.handler = large
    for _ in range(3):
        async with gateway.http.head("/rooms") as answer:
            assert (answer.status, await answer.read()) == (200, b"")
        assert answer.headers.get("Content-Length") == ("1000000" if announced else None)
    async with gateway.http.get("/rooms") as answer:
        assert len(await answer.read()) == 1_000_000


async def test_a_service_may_refuse_before_it_has_read_the_body(gateway: GatewayFixture) -> None:
    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.json_response({"code": "no"}, status=403)

    gateway.session.handler = refuse
    async with gateway.http.post(
        "/presets", data=_in_pieces(b"x" * DEFAULT_BODY_LIMIT), headers=bearer()
    ) as answer:
        assert (answer.status, (await answer.json())["code"]) == (403, "no")


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, DEFAULT_BODY_LIMIT])
@pytest.mark.parametrize("chunked", [False, True])
async def test_bodies_pass_whole_up_to_the_limit(gateway: GatewayFixture, size: int, chunked: bool) -> None:
    data = _in_pieces(b"x" * size) if chunked else b"x" * size
    async with gateway.http.post("/presets", data=data, headers=bearer()) as answer:
        assert (await answer.json())["size"] == size


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/presets", DEFAULT_BODY_LIMIT),
        ("/auth/login", 8192),
        ("/auth/viewer/register", 8192),
        (f"/rooms/{ROOM}/reminders/confirm", 8192),
        (f"/sessions/{ROOM}/raise_hand", 8192),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
async def test_bodies_beyond_the_operation_s_limit_are_refused(
    gateway: GatewayFixture, chunked: bool, path: str, limit: int
) -> None:
    body = b"x" * (limit + 1)
    async with gateway.http.post(
        path, data=_in_pieces(body) if chunked else body, headers=bearer()
    ) as answer:
        refusal = await answer.json()
    assert (answer.status, refusal["code"]) == (413, "body_too_large")
    assert (chunked and limit == DEFAULT_BODY_LIMIT) or gateway.session.seen == 0


async def test_a_large_answer_is_streamed_as_it_comes(gateway: GatewayFixture) -> None:
    digest, go_on = hashlib.sha256(), asyncio.Event()

    async def large(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "video/x", "ETag": '"e"'})
        await response.prepare(request)
        await response.write(b"first")
        await go_on.wait()
        for number in range(200):
            await response.write(bytes([number]) * 50_000)
        return response

    gateway.session.handler = large
    async with gateway.http.get("/rooms", headers=bearer()) as answer:
        assert await answer.content.readexactly(5) == b"first"
        go_on.set()
        async for piece in answer.content.iter_any():
            digest.update(piece)
    expected = hashlib.sha256(b"".join(bytes([number]) * 50_000 for number in range(200)))
    assert digest.digest() == expected.digest()
    assert answer.headers["Content-Type"] == "video/x"
    assert answer.headers["ETag"] == '"e"'


async def test_an_answer_stays_compressed_as_the_service_sent_it(gateway: GatewayFixture) -> None:
    packed = gzip.compress(b"hello" * 100)

    async def compressed(_: web.Request) -> web.StreamResponse:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    gateway.session.handler = compressed
    async with gateway.http.get("/rooms") as answer:
        assert await answer.read() == packed
    assert answer.headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("status", [201, 204, 301, 304, 400, 422, 500, 503])
async def test_a_service_s_status_is_the_answer_s(gateway: GatewayFixture, status: int) -> None:
    async def fixed(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": "/elsewhere", "X-Own": "1"})

    gateway.session.handler = fixed
    async with gateway.http.get("/rooms", allow_redirects=False) as answer:
        assert answer.status == status
    assert answer.headers["X-Own"] == "1"
    assert answer.headers["Location"] == "/elsewhere"


async def test_connections_to_a_service_are_used_again(gateway: GatewayFixture) -> None:
    peers = set()

    async def remember(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(body=b"x" * 100_000)

    gateway.session.handler = remember
    for _ in range(20):
        async with gateway.http.get("/rooms") as answer:
            await answer.read()
    assert len(peers) == 1


async def test_request_ids_are_taken_over_or_made(gateway: GatewayFixture) -> None:
    made = []
    for given in ("", "not well formed", "well-formed.1"):
        async with gateway.http.get("/nothing", headers={"X-Request-Id": given}) as answer:
            made.append(answer.headers["X-Request-Id"])
    assert made[2] == "well-formed.1"
    assert len(set(made)) == 3


async def test_a_preflight_is_answered_at_the_door(gateway: GatewayFixture) -> None:
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "PATCH"}
    async with gateway.http.options(f"/rooms/{ROOM}", headers=headers) as answer:
        assert answer.status == 204
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert gateway.session.seen == 0
    async with gateway.http.options("/nothing", headers=headers) as answer:
        assert answer.status == 404


async def test_every_answer_can_be_read_by_pages_of_allowed_origins() -> None:
    async with running(cors_origins="https://a.example") as gateway:
        for path in ("/rooms", "/nothing", "/auth/me", "/health"):
            async with gateway.http.get(path, headers={"Origin": "https://a.example"}) as answer:
                assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"
                assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]
            async with gateway.http.get(path, headers={"Origin": "https://b.example"}) as answer:
                assert "Access-Control-Allow-Origin" not in answer.headers
                assert answer.headers["Vary"] == "Origin"


async def _in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 40_000):
        yield body[start : start + 40_000]


@pytest.mark.parametrize("encoding", ["br", "zstd", "x-own", "gzip, gzip"])
async def test_a_body_that_no_service_can_unpack_is_refused(gateway: GatewayFixture, encoding: str) -> None:
    packed = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    async with gateway.http.post(
        "/auth/viewer/register", data=b"\x0b\x02\x80{}\x03", headers=packed
    ) as answer:
        told = await answer.json()
        assert (answer.status, told["success"], told["code"]) == (415, False, "unsupported_media_type")
        assert answer.headers["Accept-Encoding"] == "gzip, deflate, identity"
    assert gateway.session.seen == 0


async def test_a_body_that_nobody_looks_at_may_be_compressed_with_anything(gateway: GatewayFixture) -> None:
    async with gateway.http.get(
        "/rooms", data=b"\x0b\x02\x80{}\x03", headers={"Content-Encoding": "br"}
    ) as answer:
        assert answer.status == 200


TOKEN = "6a0b1c2d.kX2vQ9mZ4tR7wB1nT7X1qPV3mjQRpP2bP0cQh84tbZ1"


async def test_no_token_of_a_path_or_a_query_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    calls = [
        ("GET", f"/hls/{TOKEN}/{ROOM}/live.m3u8", f"/hls/***/{ROOM}/live.m3u8"),
        ("GET", f"/chat/files/{TOKEN}/{ROOM}", f"/chat/files/***/{ROOM}"),
        ("POST", f"/whip/{TOKEN}", "/whip/***"),
        ("PATCH", f"/whip/{TOKEN}/PA_1", "/whip/***/PA_1"),
        ("PUT", f"/whip/{TOKEN}", "/whip/***"),
        ("GET", f"//hls/{TOKEN}/x", "//hls/***/x"),
        ("GET", f"/hls/%2e%2e/{TOKEN}", "/hls/%2e%2e/***"),
        ("GET", f"/{TOKEN}", "/***"),
        ("GET", f"/recordings/{ROOM}/file?token={TOKEN}", f"/recordings/{ROOM}/file"),
        ("GET", f"/rooms?access_token={TOKEN}", "/rooms"),
        ("GET", f"/rooms?access_token={TOKEN}", "/rooms"),
        ("GET", f"/hls/../?token={TOKEN}", "/hls/../"),
    ]
    async with running() as gateway:
        for method, target, _ in calls:
            headers = {"Referer": gateway.url + target}
            async with gateway.http.request(method, gateway.exactly(target), headers=headers) as answer:
                await answer.read()
        async with gateway.http.get("/metrics") as answer:
            assert TOKEN not in await answer.text()
    logged = capsys.readouterr().err
    assert TOKEN not in logged
    lines = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    paths = [line["path"] for line in lines if line["event"] == "http.request"]
    assert paths == [shown for _, _, shown in calls]
