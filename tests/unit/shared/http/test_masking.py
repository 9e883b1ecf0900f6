"""What logs show of paths that have tokens in them."""

import logging
from collections.abc import MutableMapping
from typing import Any

import pytest
import structlog
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import LogCapture

from shared.clock import SystemClock
from shared.http import ANONYMOUS, Reply, Request, Routes, middleware, ok, service_app
from shared.http.masking import masked_path, masked_unknown
from shared.runtime.health import HEALTH
from shared.runtime.settings import ServiceSettings

ID = "0190b5b0-7c5c-7000-8000-000000000001"
TOKEN = "6a0b1c2d.kX2vQ9mZ4tR7wB1nT7X1qPV3mjQRpP2bP0cQh84tbZ1"


@pytest.mark.parametrize(
    ("path", "template", "secret", "logged"),
    [
        (f"/whip/{TOKEN}", "/whip/{key}", ["key"], "/whip/***"),
        (f"/whip/{ID}", "/whip/{key}", ["key"], "/whip/***"),
        (f"/whip/{TOKEN}/PA_1", "/whip/{key}/{connection}", ["key"], "/whip/***/PA_1"),
        (f"/chat/files/{TOKEN}/{ID}", "/chat/files/{token}/{id}", ["token"], f"/chat/files/***/{ID}"),
        (f"/hls/{TOKEN}/{ID}/live.m3u8", "/hls/{path:.+}", ["path"], f"/hls/***/{ID}/live.m3u8"),
        (f"/hls/{ID}/1/live.m3u8", "/hls/{path:.+}", ["path"], f"/hls/{ID}/1/live.m3u8"),
        (f"/hls/{TOKEN}", "/hls/{path:.+}", ["path"], "/hls/***"),
        (f"/rooms/{ID}", "/rooms/{id}", [], f"/rooms/{ID}"),
        ("/rooms/town-hall", "/rooms/{id}", [], "/rooms/town-hall"),
        ("/rooms/abc-defg-hij", "/rooms/{id}", [], "/rooms/***"),
        (
            "/room_codes/abc-defg-hij/exchange",
            "/room_codes/{code}/exchange",
            ["code"],
            "/room_codes/***/exchange",
        ),
        (f"/rooms/{TOKEN}", "/rooms/{id}", [], "/rooms/***"),
        (f"/chat/files/{TOKEN}/{TOKEN}", "/chat/files/{token}/{id}", ["token"], "/chat/files/***/***"),
        (f"/libraries/{TOKEN}/rooms", "/libraries/{library_id}/rooms", [], "/libraries/***/rooms"),
        ("/docs/swagger-ui-bundle.js", "/docs/{asset}", [], "/docs/swagger-ui-bundle.js"),
    ],
)
def test_a_route_says_what_of_its_path_is_secret(
    path: str, template: str, secret: list[str], logged: str
) -> None:
    assert masked_path(path, template, secret) == logged


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        (f"//hls/{TOKEN}/{ID}?token={TOKEN}", f"//hls/***/{ID}"),
        (f"/whip%2F{TOKEN}", "/***"),
        ("/wp-login.php?x=1", "/wp-login.php"),
        (f"/{TOKEN}", "/***"),
        ("/room_codes/abc-defg-hij/exchanged", "/room_codes/***/exchanged"),
        ("/room-codes/ABC-defg-hij", "/room-codes/***"),
        ("", ""),
    ],
)
def test_a_path_that_nothing_matches_may_be_a_mistyped_one(path: str, logged: str) -> None:
    assert masked_unknown(path) == logged


routes = Routes("Example")


@routes.get("/files/{token}/{id}", access=ANONYMOUS, secret=("token",))
async def give(request: Request) -> Reply[None]:
    """Give a file."""
    return ok()


@routes.get("/broken/{path:.+}", access=ANONYMOUS, secret=("path",))
async def fail(request: Request) -> Reply[None]:
    """Fail."""
    raise ZeroDivisionError


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[MutableMapping[str, Any]]:
    """What the middleware logs, however logs are configured in this process and whoever logged before."""
    captured = LogCapture()
    level = structlog.make_filtering_bound_logger(logging.DEBUG)
    own = structlog.wrap_logger(None, processors=[captured], wrapper_class=level)
    monkeypatch.setattr(middleware, "log", own)
    return captured.entries


async def test_a_service_logs_no_token_whatever_becomes_of_the_call(
    lines: list[MutableMapping[str, Any]],
) -> None:
    app = service_app("example", ServiceSettings(), [routes], SystemClock())
    app[HEALTH].started = True
    paths = [f"/files/{TOKEN}/{ID}", f"/broken/{TOKEN}/{ID}/x", f"/nowhere/{TOKEN}", f"/broken/{ID}/x"]
    headers = {"Referer": f"http://x/{TOKEN}", "X-Device-Token": TOKEN}
    async with TestClient(TestServer(app)) as client:
        for path in paths:
            async with client.get(f"{path}?token={TOKEN}&code={TOKEN}", headers=headers) as answer:
                await answer.read()
        async with client.post(f"/files/{TOKEN}/{ID}", headers=headers) as answer:
            assert answer.status == 405
    assert TOKEN not in str(lines)
    shown = [line["path"] for line in lines if line["event"] == "http.request"]
    assert shown == [
        f"/files/***/{ID}",
        f"/broken/***/{ID}/x",
        "/nowhere/***",
        f"/broken/{ID}/x",
        f"/files/***/{ID}",
    ]
    assert [line["path"] for line in lines if line["event"] == "http.bug"] == [shown[1], shown[3]]
