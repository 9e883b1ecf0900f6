"""Stream keys as people paste them: the RTMP server gets the stream's right name, whatever they gave."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from aiohttp.test_utils import TestClient, TestServer

from services.relay.routes import RELAYS, routes
from services.relay.service import RelayService
from services.relay.settings import RelaySettings
from shared.http import service_app
from shared.runtime.health import HEALTH
from shared.text import pasted_key
from tests.fakes.fake_clock import FakeClock

KEY = "0oLBxRAu51UrCjyf4m46gNSquZQlkscD"
SERVER = "rtmp://live.example/live"
QUOTES = ['""', "''", "``", "<>", "“”", "„“", "«»", ("", ","), ("", ".")]


class Published:
    """Lets everybody publish, and notes their keys."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    async def publish(self, stream_key: str, client: str) -> None:
        del client
        self.keys.append(stream_key)


@pytest.fixture
def published() -> Published:
    return Published()


@pytest.fixture
async def server(published: Published) -> AsyncIterator[TestClient[Any, Any]]:
    settings = RelaySettings(environment="development")
    app = service_app("relay", settings, (routes,), FakeClock())
    app[RELAYS] = cast(RelayService, published)
    app[HEALTH].started = True
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize(
    ("name", "address"),
    [
        (KEY, SERVER),
        (f" {KEY}", SERVER),
        (f"{KEY} \n", SERVER),
        (f"/{KEY}", SERVER),
        (f"{KEY}/", SERVER),
        (f"{KEY}?bitrate=3000", SERVER),
        (f"{SERVER}/{KEY}", SERVER),
        (f" {SERVER}/{KEY}/ ", SERVER),
        (f"\u200b{KEY}\ufeff", SERVER),
        (f"{KEY[:9]}\u00ad{KEY[9:]}\u2069", SERVER),
        (f"{SERVER}/\u200b{KEY}/\u200b?a=b", SERVER),
        ("\ufeff", f"{SERVER}/{KEY}\u200b"),
        ("", f"{SERVER}/{KEY}"),
        (" ", f"{SERVER}/{KEY}/"),
        (KEY, f"{SERVER}/{KEY}"),
        *((f"{before}{KEY}{after}", SERVER) for before, after in QUOTES),
        (f'"{SERVER}/{KEY}"', SERVER),
        (f"'{KEY}/' ", SERVER),
        (f"{KEY}%20", SERVER),
        (f"%22{KEY}%0D%0A", SERVER),
        (f"{KEY}#1", SERVER),
        ('""', f"{SERVER}/{KEY}"),
    ],
)
async def test_the_key_is_found_in_what_was_pasted(
    server: TestClient[Any, Any], published: Published, name: str, address: str
) -> None:
    form = {"call": "publish", "clientid": "1", "name": name, "tcurl": address}
    answer = await server.post("/rtmp/publish", data=form, allow_redirects=False)
    assert published.keys == [KEY]
    renamed = answer.headers.get("Location")
    assert (answer.status, renamed) == ((200, None) if name == KEY else (302, KEY))


@pytest.mark.parametrize(
    ("app", "meant"),
    [
        ("live", None),
        (f"live/{KEY}", "live"),
        ("live/", "live"),
        ("/live", "live"),
        (" live", "live"),
        ("live\u200b", "live"),
    ],
)
async def test_the_server_is_found_in_front_of_a_key(
    server: TestClient[Any, Any], app: str, meant: str | None
) -> None:
    form = {"app": app, "tcurl": f"rtmp://live.example/{app}", "call": "connect"}
    answer = await server.post("/rtmp/connect", data=form, allow_redirects=False)
    assert (answer.status, answer.headers.get("Location")) == ((302, meant) if meant else (200, None))


@pytest.mark.parametrize("text", ["", " ", "/", "rtmp://live.example/live/"])
def test_no_key_is_found_where_there_is_none(text: str) -> None:
    assert pasted_key(text) in {"", "live"}
