"""An encoder whose owner lost their right ends, with real media, and the host's goes on."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from deploy.api_client import ApiClient
from deploy.local.stack import Stack
from shared.ids import new_id, new_secret
from shared.livekit import LiveKitApi
from tests.e2e.test_encoders import DEADLINE, by_rtmp, by_whip, encoder
from tests.waiting import equal_to, eventually

pytestmark = pytest.mark.timeout(360)

# A second is promised; all tests run side by side.
AT_ONCE = 8.0


@dataclass(frozen=True)
class SharedSession:
    """A live session with a host and a co-host; `host` and `co_host` are their clients."""

    id: str
    host: ApiClient
    co_host: ApiClient
    co_host_id: str
    livekit: LiveKitApi

    async def encoder_of(self, who: ApiClient) -> tuple[str, ...]:
        """The command that publishes under a key of theirs."""
        started = await who.call("POST", f"/sessions/{self.id}/start")
        rtmp = started["rtmp"]
        return by_rtmp(f"{rtmp['url']}/{rtmp['stream_key']}") if rtmp else by_whip(started["whip_url"])

    async def remove_and_ban(self) -> None:
        await self.host.call("DELETE", f"/sessions/{self.id}/co_hosts/{self.co_host_id}")
        await self.host.call("POST", f"/sessions/{self.id}/ban", body={"user_id": self.co_host_id})

    async def sending(self) -> set[str]:
        """The users whose encoders have tracks in the room."""
        present = await self.livekit.list_participants(self.id)
        return {one.identity.partition(":")[0] for one in present if one.tracks}


@pytest.fixture
async def livekit(stack: Stack) -> AsyncIterator[LiveKitApi]:
    livekit = LiveKitApi(stack.livekit_url, stack.livekit_api_key, stack.livekit_api_secret)
    yield livekit
    await livekit.close()


@pytest.fixture(params=[("whip", "webcam"), ("rtmp", "rtmp")], ids=["whip", "rtmp"])
async def session(
    request: pytest.FixtureRequest, stack: Stack, livekit: LiveKitApi
) -> AsyncIterator[SharedSession]:
    kind, mode = request.param
    async with aiohttp.ClientSession() as client:
        admin = await ApiClient(stack.base_url, client).sign_in(stack.admin.email, stack.admin.password)
        host = await ApiClient(stack.base_url, client).sign_in(stack.host.email, stack.host.password)
        organization = (await host.call("GET", "/auth/me"))["organization_id"]
        person: dict[str, Any] = {"email": f"{new_id()}@example.com", "password": new_secret()}
        body = person | {"username": "Cora", "organization_id": organization}
        made = await admin.call("POST", "/admin/users", body=body)
        co_host = await ApiClient(stack.base_url, client).sign_in(person["email"], person["password"])
        look = {"name": "Two", "type": kind, "primary_color": "#112233", "host_add_co_host": True}
        preset = await host.call("POST", "/presets", body=look)
        room = (await host.call("POST", "/rooms", body={"title": "From afar"}))["room"]
        fields = {"title": "By encoders", "preset_id": preset["id"], "mode": mode}
        id = (await host.call("POST", f"/rooms/{room['id']}/sessions", body=fields))["session"]["id"]
        await host.call("POST", f"/sessions/{id}/co_hosts", body={"user_id": made["id"]})
        yield SharedSession(id, host, co_host, made["id"], livekit)
        await host.call("POST", f"/sessions/{id}/end")


async def test_who_is_removed_sends_no_longer_and_the_host_goes_on(session: SharedSession) -> None:
    hosts, theirs = await session.encoder_of(session.host), await session.encoder_of(session.co_host)
    async with encoder(hosts) as first, encoder(theirs):
        both = await eventually(session.sending, lambda found: len(found) == 2, DEADLINE)
        await session.remove_and_ban()
        only_host = both - {session.co_host_id}
        await eventually(session.sending, equal_to(only_host), AT_ONCE)
        # Who was sent away, or takes the key again, is refused.
        async with encoder(theirs) as again, asyncio.timeout(DEADLINE):
            assert await again.wait() != 0
        assert await session.sending() == only_host
        assert first.returncode is None
