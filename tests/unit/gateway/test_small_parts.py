"""CORS, request ids, the access log and the settings."""

import asyncio
import json

import pytest
from pydantic import ValidationError

from services.gateway.http.context import RequestIds
from services.gateway.http.cors import Cors
from services.gateway.server.access_log import AccessLine, RequestLogger
from services.gateway.settings import GatewaySettings
from shared.access.identity import Caller
from shared.contracts.states import UserRole

_LINE = AccessLine(
    at=1_700_000_000.125,
    method='G"ET',
    route="/rooms/{id}",
    path='/rooms/"quoted"\\',
    status=200,
    seconds=0.0123,
    request_id="r-1",
    client="::1",
    caller=None,
    session_id=None,
    trace_id=None,
)
_CALLER = Caller("u-1", "s-1", "o-1", UserRole.HOST, "Anna")


def test_any_origin_may_read_but_never_with_credentials() -> None:
    for origin in (None, "https://a.example"):
        headers = Cors(["*"]).headers(origin)
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in headers


def test_only_the_configured_origins_may_read() -> None:
    cors = Cors(["https://a.example"])
    assert cors.headers("https://a.example")["Access-Control-Allow-Origin"] == "https://a.example"
    for origin in (None, "https://b.example", "null"):
        assert cors.headers(origin) == {"Vary": "Origin"}


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://a.example", True),
        ("https://a.example:8443", True),
        ("http://[::1]:3000", True),
        ("https://app.customer.example", True),
        ("https://a.b.customer.example", True),
        ("http://app.customer.example", False),
        ("https://customer.example", False),
        ("https://app.customer.example:444", False),
        ("https://evil/app.customer.example", False),
        ("https://evil-customer.example", False),
        ("https://app.customer.example.evil", False),
        ("https://a.example:8444", False),
    ],
)
def test_ports_count_and_a_star_stands_for_every_subdomain(origin: str, allowed: bool) -> None:
    text = "https://a.example,https://a.example:8443, http://[::1]:3000,https://*.customer.example"
    headers = Cors(GatewaySettings(cors_origins=text).cors_origins).headers(origin)
    assert headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    assert headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    [
        *("a.example", "https://a.example/", "https://A.example", "null", "https://", "ftp://a.example"),
        *("https://a.example:443", "http://a.example:80", "https://*", "https://a.*.example", "https://*a.b"),
    ],
)
def test_what_no_browser_sends_is_no_origin(origin: str) -> None:
    with pytest.raises(ValidationError, match="is not"):
        GatewaySettings(cors_origins=("https://good.example", origin))


def test_a_preflight_names_methods_and_authorization_explicitly() -> None:
    headers = Cors(["*"]).preflight(["GET", "HEAD"])
    assert headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    # The wildcard does not stand for Authorization (Fetch standard).
    assert "Authorization" in headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("given", ["abcdefgh", "0190b5b0-7c5c-7000-8000-000000000001", "a.b_c-d9" * 16])
def test_a_well_formed_request_id_is_kept(given: str) -> None:
    assert RequestIds("prefix").choose(given) == given


@pytest.mark.parametrize(
    "given", [None, "", "short", "x" * 129, 'inject"ion', "line\nbreak", "abcdefgh\n", "ünicode9"]
)
def test_any_other_is_replaced_by_one_of_ours(given: str | None) -> None:
    ids = RequestIds("prefix")
    assert [ids.choose(given), ids.choose(given)] == ["prefix-1", "prefix-2"]


async def test_lines_are_written_together_and_are_json() -> None:
    written: list[str] = []
    flushed = asyncio.Event()

    def write(text: str) -> None:
        written.append(text)
        flushed.set()

    log = RequestLogger(write, "json")
    log.add(_LINE)
    log.add(_LINE._replace(caller=_CALLER, session_id="i-1", trace_id="0af7"))
    assert written == []
    await asyncio.wait_for(flushed.wait(), 5)
    first, second = map(json.loads, written[0].splitlines())
    assert first["path"] == _LINE.path
    assert first["method"] == _LINE.method
    assert first["ms"] == 12.3
    assert first["timestamp"] == "2023-11-14T22:13:20.125Z"
    assert (first["user_id"], second["user_id"]) == (None, "u-1")
    assert not {"session_id", "organization_id", "trace_id"} & first.keys()
    assert (second["session_id"], second["organization_id"], second["trace_id"]) == ("i-1", "o-1", "0af7")
    assert "Anna" not in written[0]


async def test_a_burst_is_written_before_the_timer_and_the_rest_on_flush() -> None:
    written: list[str] = []
    log = RequestLogger(written.append, "console")
    for _ in range(1001):
        log.add(_LINE)
    assert len(written) == 1
    log.flush()
    assert sum(text.count("\n") for text in written) == 1001
    log.flush()
    assert len(written) == 2


def test_lists_come_comma_separated_and_urls_without_a_trailing_slash() -> None:
    settings = GatewaySettings.model_validate(
        {
            "cors_origins": "https://a, https://b",
            "trusted_proxies": "10.0.0.0/8,::1",
            "session_url": "http://s:1/",
        }
    )
    assert settings.cors_origins == ("https://a", "https://b")
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    assert settings.upstream_urls["session"] == "http://s:1"


@pytest.mark.parametrize(
    "bad", [{"session_url": "s:1"}, {"egress_url": "ftp://x"}, {"trusted_proxies": "everyone"}]
)
def test_bad_settings_are_refused(bad: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        GatewaySettings.model_validate(bad)
