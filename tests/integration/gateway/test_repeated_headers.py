"""Headers that a request has more than once: refused, save for those that are lists."""

import pytest

from tests.integration.gateway.fixtures import GatewayFixture, talk


@pytest.mark.parametrize(
    "repeated",
    [
        ("Content-Encoding: identity", "Content-Encoding: gzip"),
        ("Content-Type: text/plain", "content-type: application/json"),
        ("Authorization: Bearer a", "Authorization: Bearer b"),
        ("X-API-Key: a.b", "X-API-Key: a.c"),
        ("X-Device-Token: a", "x-device-TOKEN: b"),
        ("X-Request-Id: 12345678", "X-Request-Id: 87654321"),
        ("Idempotency-Key: 1", "Idempotency-Key: 1"),
        ("Expect: 100-continue", "Expect: 100-continue"),
        ("Host: x",),
        ("Range: bytes=0-1", "Range: bytes=5-"),
        ("If-Range: a", "If-Range: b"),
        ("X-Greenroom-Library: a", "X-Greenroom-Library: b"),
        ("Origin: https://a", "Origin: https://b"),
        ("X-Anything: a", "X-Anything: b"),
        ("Content-Length: 2", "Content-Length: 3"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("Content-Length: 2", "Transfer-Encoding: chunked"),
    ],
)
async def test_a_header_with_one_value_is_taken_once(
    gateway: GatewayFixture, repeated: tuple[str, ...]
) -> None:
    lines = ["POST /auth/login HTTP/1.1", "Host: x", *repeated]
    if not any(line.startswith(("Content-Length", "Transfer-")) for line in repeated):
        lines.append("Content-Length: 2")
    assert await talk(gateway, "\r\n".join([*lines, "", "{}"]).encode()) == 400
    assert gateway.session.seen == 0


async def test_headers_that_are_lists_may_be_spread_over_lines(gateway: GatewayFixture) -> None:
    lines = ("Accept: a/b", "Accept: c/d", "Cookie: x=1", "Cookie: y=2", "X-Forwarded-For: 1.1.1.1")
    more = (
        "X-Forwarded-For: 2.2.2.2",
        'If-Match: "a"',
        'If-Match: "b"',
        "tracestate: a=1",
        "Tracestate: b=2",
    )
    head = "\r\n".join(["GET /sessions HTTP/1.1", "Host: x", *lines, *more, "", ""])
    assert await talk(gateway, head.encode()) == 200


@pytest.mark.parametrize("path", ["/sessions", "/docs"])
async def test_what_the_client_has_may_be_said_in_several_lines(gateway: GatewayFixture, path: str) -> None:
    async with gateway.http.get(path) as answer:
        known = answer.headers["ETag"]
    for tags in ([known, '"other"'], ['"other"', f'"more", {known}']):
        sent = [("If-None-Match", tag) for tag in tags]
        async with gateway.http.get(path, headers=sent) as answer:
            assert answer.status == 304
