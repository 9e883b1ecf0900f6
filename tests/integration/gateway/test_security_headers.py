"""What every answer says to browsers, whoever made it: the gateway, a service, or the cache."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from multidict import CIMultiDictProxy

from tests.integration.gateway.fixtures import ROOM, GatewayFixture, bearer, running

HSTS = "Strict-Transport-Security"
BY_TLS_PROXY = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
TRUSTED = {"trusted_proxies": "127.0.0.0/8"}
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
PRIVATE = EVERYWHERE | {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.fixture
async def gateway() -> AsyncIterator[GatewayFixture]:
    async with running() as gateway:
        yield gateway


async def headers_of(
    gateway: GatewayFixture, path: str, method: str = "GET", **headers: str
) -> CIMultiDictProxy[str]:
    async with gateway.http.request(method, path, headers=headers, allow_redirects=False) as answer:
        return answer.headers


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", f"/rooms/{ROOM}", bearer()),
        ("POST", "/auth/logout", bearer()),
        ("POST", "/auth/viewer/register", {}),
        ("GET", f"/rooms/{ROOM}", {"Authorization": "Bearer nonsense"}),
        ("GET", "/no/such/path", {}),
        ("DELETE", "/health", {}),
        ("OPTIONS", "/rooms", {}),
        ("GET", "/health", {}),
        ("GET", "/openapi.json", {}),
        ("GET", "/api/video/rooms", {}),
    ],
)
async def test_an_answer_is_for_its_caller_alone(
    gateway: GatewayFixture, method: str, path: str, headers: dict[str, str]
) -> None:
    sent = await headers_of(gateway, path, method, **headers)
    assert {name: sent.getall(name) for name in PRIVATE} == {name: [PRIVATE[name]] for name in PRIVATE}


async def test_a_public_read_may_be_kept_and_is_asked_for_again(gateway: GatewayFixture) -> None:
    first = await headers_of(gateway, f"/rooms/{ROOM}")
    again = await headers_of(gateway, f"/rooms/{ROOM}")
    unchanged = await headers_of(gateway, f"/rooms/{ROOM}", **{"If-None-Match": first["ETag"]})
    expected = PRIVATE | {"Cache-Control": "no-cache"}
    for sent in (first, again, unchanged):
        assert {name: sent.getall(name) for name in expected} == {name: [expected[name]] for name in expected}


async def test_the_documentation_is_a_page_that_nobody_frames_or_reaches(gateway: GatewayFixture) -> None:
    sent = await headers_of(gateway, "/docs")
    assert EVERYWHERE.items() <= dict(sent).items()
    assert "frame-ancestors 'none'" in sent["Content-Security-Policy"]
    assert "unsafe-inline" not in sent["Content-Security-Policy"].partition("script-src")[2].partition(";")[0]
    assert sent["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in sent["Permissions-Policy"]


async def test_what_a_service_decides_stays(gateway: GatewayFixture) -> None:
    """Players and pages of other origins show streams."""
    own = {
        "Cache-Control": "public, max-age=1",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Content-Security-Policy": "frame-ancestors 'none'",
    }

    async def segment(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"segment", content_type="video/mp2t", headers=own)

    gateway.egress.handler = segment
    sent = await headers_of(gateway, "/hls/a/live.m3u8", Origin="https://player.example")
    assert {name: sent.getall(name) for name in own} == {name: [own[name]] for name in own}
    assert sent["Access-Control-Allow-Origin"] == "*"


async def test_without_https_nothing_is_said_of_it(gateway: GatewayFixture) -> None:
    for _ in range(2):
        assert HSTS not in await headers_of(gateway, f"/rooms/{ROOM}", **BY_TLS_PROXY)


async def test_clients_of_a_trusted_tls_proxy_stay_with_https() -> None:
    async with running(**TRUSTED) as gateway:
        for path in ("/health", "/no/such/path", f"/rooms/{ROOM}"):
            sent = await headers_of(gateway, path, **BY_TLS_PROXY, **bearer())
            assert sent[HSTS] == "max-age=31536000"
        assert HSTS not in await headers_of(gateway, "/health", **{"X-Forwarded-Proto": "http"})


async def test_with_a_public_address_of_https_every_answer_says_so() -> None:
    async with running(public_url="https://live.example", hsts_seconds=60) as gateway:
        for path in ("/health", f"/rooms/{ROOM}", f"/rooms/{ROOM}"):
            assert (await headers_of(gateway, path)).getall(HSTS) == ["max-age=60"]
    async with running(public_url="https://live.example", hsts_seconds=0) as gateway:
        assert HSTS not in await headers_of(gateway, "/health")
