"""A whole live session on deploy/compose.yaml: containers on a bridge network, and clients outside of it."""

from __future__ import annotations

import importlib.util
import io
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from rich.console import Console

from deploy.api_client import ApiClient
from deploy.demo.api import Api
from deploy.demo.progress import display_on
from deploy.demo.scenario import DemoOptions, DemoScenario
from deploy.images import engine
from deploy.local.ports import LOOPBACK, TCP, UDP, PortBook
from shared.livekit import LiveKitApi
from tests.containers import standins
from tests.containers.building import built
from tests.containers.compose import ComposeStack, compose_stack
from tests.e2e.test_encoders import EncoderHost, by_whip, encoder
from tests.waiting import equal_to, eventually

pytestmark = pytest.mark.timeout(600)

VIEWERS, SECONDS = 2, 6.0
PORTS = ("GATEWAY_PORT", "LIVEKIT_PORT", "RTMP_PORT", "MEDIA_TCP_PORT")
EMAIL, PASSWORD = "host@theatre.example", secrets.token_urlsafe(12)


def impossible() -> str | None:
    """Why no containers can be run here; None if they can."""
    if problem := engine.unusable("podman"):
        return f"podman: {problem}"
    missing = [name for name in ("iptables", "runc") if shutil.which(name) is None]
    missing += ["podman-compose"] if importlib.util.find_spec("podman_compose") is None else []
    return f"{', '.join(missing)}: not installed" if missing else None


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    """Greenroom with its own recorder and relay, on free ports of this machine's loopback address."""
    if reason := impossible():
        pytest.skip(reason)
    built(engine.find("podman"))
    standins.build(engine.find("podman"))
    folder = tmp_path_factory.mktemp("compose")
    with PortBook(folder / "ports.json") as book:
        changes = {name: str(book.take(name, TCP)) for name in PORTS}
        changes["MEDIA_PORT"] = str(book.take("MEDIA_PORT", UDP))
    changes |= {
        "MEDIA": "embedded",
        "COMPOSE_PROFILES": "embedded",
        "PUBLIC_URL": f"http://{LOOPBACK}:{changes['GATEWAY_PORT']}",
        "LIVEKIT_PUBLIC_URL": f"ws://{LOOPBACK}:{changes['LIVEKIT_PORT']}",
        "RTMP_PUBLIC_URL": f"rtmp://{LOOPBACK}:{changes['RTMP_PORT']}/live",
    }
    with compose_stack(folder, changes) as stack:
        yield stack


@pytest.fixture(scope="module")
async def gateway(running: ComposeStack) -> AsyncIterator[ApiClient]:
    """The first administrator has made an organization and a host."""
    async with aiohttp.ClientSession() as http:
        anybody = ApiClient(running.values["PUBLIC_URL"], http)
        await eventually(lambda: anybody.call("GET", "/health"), lambda health: health["status"] == "ok")
        admin = await anybody.sign_in(running.values["ADMIN_EMAIL"], running.values["ADMIN_PASSWORD"])
        organization = await admin.call("POST", "/admin/organizations", body={"name": "Theatre"})
        host = {"email": EMAIL, "password": PASSWORD, "username": "host", "role": "host"}
        await admin.call("POST", "/admin/users", body=host | {"organization_id": organization["id"]})
        yield anybody


async def test_a_session_with_media_a_stream_and_a_recording(gateway: ApiClient) -> None:
    """Everybody goes by the addresses that the API's answers have."""
    output = io.StringIO()
    options = DemoOptions(EMAIL, PASSWORD, VIEWERS, SECONDS)
    with display_on(Console(file=output), time.monotonic) as display:
        outcome = await DemoScenario(Api(gateway), options, display, time.monotonic).run()
    assert [row for row in outcome.rows if not row.agrees] == [], output.getvalue()


@pytest.fixture
async def encoder_host(running: ComposeStack, gateway: ApiClient) -> AsyncIterator[EncoderHost]:
    values = running.values
    livekit = LiveKitApi(
        values["LIVEKIT_PUBLIC_URL"], values["LIVEKIT_API_KEY"], values["LIVEKIT_API_SECRET"]
    )
    yield EncoderHost(await gateway.sign_in(EMAIL, PASSWORD), livekit)
    await livekit.close()


async def test_an_encoder_sends_rtmp_to_the_address_that_it_is_told(encoder_host: EncoderHost) -> None:
    broadcast = await encoder_host.broadcast("rtmp", "rtmp")
    async with encoder(broadcast.rtmp):
        await eventually(broadcast.status, equal_to("live"))
        await eventually(broadcast.encoders, equal_to(1))
        await broadcast.call("POST", "/end")


async def test_an_encoder_sends_whip_to_the_address_that_it_is_told(encoder_host: EncoderHost) -> None:
    broadcast = await encoder_host.broadcast("whip", "webcam")
    started = await broadcast.call("POST", "/go_live")
    async with encoder(by_whip(started["whip_url"])):
        await eventually(broadcast.encoders, equal_to(1))
        await broadcast.call("POST", "/end")
