"""What passes the gateway, and what stays at it."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict, CIMultiDictProxy

from services.gateway.http.client_address import ClientAddress
from services.gateway.http.headers import HeadTooLarge, check_head, client_headers, upstream_headers

_CLIENT = ClientAddress("198.51.100.7", "https", "live.example")


def _onward(
    *sent: tuple[str, str], authorization: str | None = None, library_id: str | None = None
) -> CIMultiDict[str]:
    return upstream_headers(
        CIMultiDictProxy(CIMultiDict(sent)),
        client=_CLIENT,
        request_id="r-1",
        authorization=authorization,
        library_id=library_id,
    )


def test_ordinary_headers_pass_unchanged_and_repeated_ones_stay_repeated() -> None:
    passed = _onward(("Accept", "a/b"), ("Cookie", "x=1"), ("Cookie", "y=2"), ("Content-Length", "3"))
    assert passed["Accept"] == "a/b"
    assert passed.getall("Cookie") == ["x=1", "y=2"]
    assert passed["Content-Length"] == "3"


@pytest.mark.parametrize(
    "name",
    ["Connection", "keep-alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Proxy-Authorization"],
)
def test_hop_by_hop_headers_stay(name: str) -> None:
    assert name not in _onward((name, "x"))


def test_what_connection_names_stays() -> None:
    passed = _onward(
        ("Connection", "close, X-Secret"), ("Connection", "X-Other"), ("X-Secret", "1"), ("X-Other", "2")
    )
    assert "X-Secret" not in passed
    assert "X-Other" not in passed


def test_nobody_can_speak_for_the_gateway() -> None:
    passed = _onward(
        ("X-Greenroom-Library", "theirs"),
        ("x-greenroom-anything", "1"),
        ("X-Forwarded-For", "6.6.6.6"),
        ("X-Forwarded-Proto", "gopher"),
        ("Forwarded", "for=6.6.6.6"),
        ("X-Request-Id", "theirs"),
        ("Host", "evil"),
    )
    assert not [name for name in passed if name.lower().startswith("x-greenroom")]
    assert "Forwarded" not in passed
    assert "Host" not in passed
    assert passed.getall("X-Forwarded-For") == ["198.51.100.7"]
    assert passed["X-Forwarded-Proto"] == "https"
    assert passed["X-Forwarded-Host"] == "live.example"
    assert passed["X-Request-Id"] == "r-1"


def test_the_library_and_the_identity_are_set_by_us_alone() -> None:
    passed = _onward(
        ("Authorization", "Basic x"),
        ("Authorization", "Bearer y"),
        ("X-API-Key", "id.secret"),
        ("X-Greenroom-Library", "theirs"),
        ("Connection", "X-Greenroom-Library, Authorization"),
        authorization="Bearer ours",
        library_id="ours",
    )
    assert passed.getall("Authorization") == ["Bearer ours"]
    assert passed.getall("X-Greenroom-Library") == ["ours"]
    assert "X-API-Key" not in passed


def test_answers_lose_what_is_about_the_connection_and_take_our_headers() -> None:
    sent = CIMultiDict(
        [
            ("Connection", "close"),
            ("Transfer-Encoding", "chunked"),
            ("Content-Length", "5"),
            ("Server", "aiohttp"),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("Access-Control-Allow-Origin", "https://theirs"),
            ("Vary", "Accept"),
        ]
    )
    passed = client_headers(
        CIMultiDictProxy(sent), {"X-Request-Id": "r-1", "Server": "greenroom", "Vary": "Origin"}
    )
    assert passed.getall("Set-Cookie") == ["a=1", "b=2"]
    assert passed.getall("Server") == ["greenroom"]
    assert passed["Vary"] == "Accept, Origin"
    for name in ("Connection", "Transfer-Encoding", "Content-Length", "Access-Control-Allow-Origin"):
        assert name not in passed


def test_too_many_headers_together_are_refused() -> None:
    few: web.BaseRequest = make_mocked_request("GET", "/", headers={"A": "x" * 8000})
    check_head(few)
    with pytest.raises(HeadTooLarge):
        check_head(make_mocked_request("GET", "/", headers={f"A{n}": "x" * 8000 for n in range(5)}))
