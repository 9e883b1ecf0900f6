"""Every secret of an installation is replaced while a session is live: its stream and its people go on.

The services begin with credentials of the test's, and end with the stack's own: the last step is that the
stack's own processes are back.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest

from deploy.keys import new_sealing_key, new_signing_key
from deploy.local.credentials import Credentials, load_credentials
from deploy.session_database import reseal_all
from shared.http.request import CENTRIFUGO_HEADER
from shared.ids import new_id
from tests.integration.own_services import own_services
from tests.publishers.publisher import Publisher
from tests.running_stack import RunningStack
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(400)

SERVICES = ("egress", "session", "attendance", "gateway")


def settings(signing: Credentials, *others: Credentials) -> dict[str, str]:
    """Of every service: `signing` signs and encrypts, and what `others` did holds as well."""
    known = (*others, signing)
    return {
        "GREENROOM_INTERNAL_SECRET": signing.internal_secret,
        "GREENROOM_INTERNAL_PREVIOUS_SECRETS": json.dumps([one.internal_secret for one in others]),
        "GREENROOM_REFRESH_SECRET": signing.refresh_secret,
        "GREENROOM_REFRESH_PREVIOUS_SECRETS": json.dumps([one.refresh_secret for one in others]),
        "GREENROOM_CENTRIFUGO_SECRET": signing.centrifugo_secret,
        "GREENROOM_CENTRIFUGO_PREVIOUS_SECRETS": json.dumps([one.centrifugo_secret for one in others]),
        "GREENROOM_IDENTITY_PUBLIC_KEYS": json.dumps(
            {one.identity_kid: one.identity_public_key for one in known}
        ),
        "GREENROOM_IDENTITY_SIGNING_KID": signing.identity_kid,
        "GREENROOM_IDENTITY_PRIVATE_KEY": signing.identity_private_key,
        "GREENROOM_KEYRING": json.dumps({one.keyring_id: one.keyring_key for one in known}),
        "GREENROOM_LIVEKIT_API_KEY": signing.livekit_api_key,
        "GREENROOM_LIVEKIT_API_SECRET": signing.livekit_api_secret,
        "GREENROOM_LIVEKIT_PREVIOUS_KEYS": json.dumps(
            {one.livekit_api_key: one.livekit_api_secret for one in others}
        ),
    }


def other_credentials() -> Credentials:
    """All that can be replaced is another."""
    key = new_signing_key("before")
    return replace(
        Credentials(key.kid, key.private_key, key.public_key),
        keyring_id="before",
        keyring_key=new_sealing_key(),
    )


async def let_livekit_take_both(running: RunningStack, old: Credentials, new: Credentials) -> None:
    """LiveKit takes both keys, and signs its webhooks with the new one."""
    file = running.data.data_of("livekit") / "livekit.yaml"
    config = json.loads(file.read_text())
    config["keys"] = {one.livekit_api_key: one.livekit_api_secret for one in (old, new)}
    config["webhook"]["api_key"] = new.livekit_api_key
    file.write_text(json.dumps(config))
    await running.restart("livekit")


@dataclass(frozen=True)
class Client:
    """Calls the gateway."""

    http: aiohttp.ClientSession
    base: str

    async def status(self, method: str, path: str, headers: dict[str, str] | None = None, **body: Any) -> int:
        async with self.http.request(method, self.base + path, json=body or None, headers=headers) as answer:
            return answer.status

    async def call(self, method: str, path: str, headers: dict[str, str] | None = None, **body: Any) -> Any:
        async with self.http.request(method, self.base + path, json=body or None, headers=headers) as answer:
            told = await answer.json()
            assert answer.status < 300, told
            return told.get("data", told)

    async def segments(self, url: str) -> int:
        """How many segments the stream has; 0 if its playlist is refused."""
        async with self.http.get(url.replace("live.m3u8", "index.m3u8")) as answer:
            return (await answer.text()).count("#EXTINF") if answer.status == 200 else 0


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass
class Before:
    """What people and programs hold since before the rotation."""

    api_key: dict[str, str]
    session: str
    signed_in: dict[str, Any]
    started: dict[str, Any]
    hls_url: str = ""


class Rotation:
    def __init__(self, running: RunningStack, client: Client):
        self.running = running
        self.client = client
        self.new = load_credentials(running.data)
        self.old = other_credentials()

    async def go_live(self) -> Before:
        """A session whose stream is played with a signed link."""
        info = self.running.info
        host = {"email": info.host.email, "password": info.host.password}
        signed_in = await self.client.call("POST", "/auth/login", None, **host)
        api_key = {"X-API-Key": await self._new_api_key(signed_in["user"]["id"])}
        preset: dict[str, Any] = {"name": "P", "type": "whip", "primary_color": "#102030"}
        preset_id = (await self.client.call("POST", "/presets", api_key, **preset))["id"]
        made = await self.client.call("POST", "/rooms", api_key, title="A room", unlisted=True)
        room, body = made["room"]["id"], {"title": "A session", "preset_id": preset_id}
        made = await self.client.call("POST", f"/rooms/{room}/sessions", api_key, **body)
        session = made["session"]["id"]
        started = await self.client.call("POST", f"/sessions/{session}/go_live", api_key)
        return Before(api_key, session, signed_in, started)

    async def _new_api_key(self, user_id: str) -> str:
        """Its secret is encrypted with the key that is to go."""
        info = self.running.info
        login = {"email": info.admin.email, "password": info.admin.password}
        admin = bearer((await self.client.call("POST", "/auth/login", None, **login))["access_token"])
        made = await self.client.call("POST", "/admin/api-keys", admin, user_id=user_id, name="A key")
        return f"{made['id']}.{made['secret']}"

    async def hls_url(self, before: Before) -> str:
        async def shown() -> Any:
            return (await self.client.call("GET", f"/sessions/{before.session}", before.api_key))["hls_url"]

        return str(await eventually(shown, bool))

    async def check_old_still_holds(self, before: Before) -> None:
        """What was issued under the old secrets, while the new ones are being brought in."""
        path = f"/sessions/{before.session}"
        assert (await self.client.call("GET", path, before.api_key))["status"] == "live"
        assert await self.client.status("GET", "/auth/me", bearer(before.signed_in["access_token"])) == 200
        # Asks the session service, which asks back; LiveKit is asked as well.
        health = await self.client.call("GET", f"{path}/stream_health", before.api_key)
        assert health["room"] is not None
        seen = await self.client.segments(before.hls_url)
        assert seen > 0
        whip = before.started["whip_url"].removeprefix(self.client.base)
        assert await self.client.status("POST", whip, {"Content-Type": "application/sdp"}) != 401
        for credentials in (self.old, self.new):
            assert await self.centrifugo(credentials) == {"result": {"expired": True}}

    async def centrifugo(self, credentials: Credentials) -> Any:
        headers = {CENTRIFUGO_HEADER: credentials.centrifugo_secret}
        async with self.client.http.post(
            self.client.base + "/centrifugo/refresh", headers=headers, json={"client": "c"}
        ) as answer:
            return await answer.json()

    async def somebody_joins(self, before: Before, key: str) -> Publisher:
        """A new person, whose arrival LiveKit reports; their token is signed with LiveKit's `key`."""
        viewer = await self.client.call("POST", "/auth/viewer/register", display_name="Vera")
        headers = bearer(viewer["access_token"])
        joined = await self.client.call("POST", f"/sessions/{before.session}/join", headers)
        claims = jwt.decode(joined["livekit_token"], options={"verify_signature": False})
        assert claims["iss"] == key
        person = Publisher("Vera", viewer["user"]["id"])
        await person.join(joined["livekit_url"], joined["livekit_token"])

        async def attending() -> list[str]:
            path = f"/sessions/{before.session}/attendance"
            shown = await self.client.call("GET", path, before.api_key)
            return [one["user_id"] for one in shown["attendance"]]

        await eventually(attending, lambda ids: viewer["user"]["id"] in ids)
        return person

    async def check_only_new_holds(self, before: Before, renewed: dict[str, Any]) -> None:
        """The old secrets are worth nothing; people, programs and the stream went over to the new ones."""
        client = self.client
        assert await client.status("GET", "/auth/me", bearer(before.signed_in["access_token"])) == 401
        assert await client.segments(before.hls_url) == 0
        assert (await self.centrifugo(self.old)).get("error")
        assert await client.status("GET", "/auth/me", bearer(renewed["access_token"])) == 200
        await client.call("POST", "/auth/refresh", refresh_token=renewed["refresh_token"])
        session = await client.call("GET", f"/sessions/{before.session}", before.api_key)
        assert session["status"] == "live"
        seen = await client.segments(session["hls_url"])
        await eventually(lambda: client.segments(session["hls_url"]), lambda now: now > seen)

    async def reseal(self) -> None:
        """`greenroom keys reseal`, with the session service's settings."""
        own = {
            "GREENROOM_MONGODB_URI": self.running.info.mongodb.session,
            "GREENROOM_AMQP_URL": self.running.info.amqp_url,
        }
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (settings(self.new, self.old) | own).items():
                patch.setenv(name, value)
            await reseal_all()


@pytest.fixture
async def rotation(running_stack: RunningStack) -> AsyncIterator[Rotation]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as http:
        yield Rotation(running_stack, Client(http, running_stack.info.base_url))


async def test_every_secret_is_replaced_under_a_live_session(
    running_stack: RunningStack, rotation: Rotation, tmp_path: Path
) -> None:
    old, new = rotation.old, rotation.new
    host = Publisher("Hanna Berg", new_id())
    people = [host]
    try:
        async with own_services(running_stack, SERVICES, tmp_path) as services:
            both = services.restart(dict.fromkeys(SERVICES, settings(old, new)))
            await asyncio.gather(both, let_livekit_take_both(running_stack, old, new))
            before = await rotation.go_live()
            await host.join(before.started["livekit_url"], before.started["livekit_token"])
            await host.show()
            before.hls_url = await rotation.hls_url(before)
            people.append(await rotation.somebody_joins(before, old.livekit_api_key))
            for some in (("egress", "attendance"), ("session", "gateway")):
                await services.restart(dict.fromkeys(some, settings(new, old)))
                await rotation.check_old_still_holds(before)
            people.append(await rotation.somebody_joins(before, new.livekit_api_key))
            await rotation.reseal()
            refresh = {"refresh_token": before.signed_in["refresh_token"]}
            renewed = await rotation.client.call("POST", "/auth/refresh", None, **refresh)
        await rotation.check_only_new_holds(before, renewed)
        assert all(person.room.isconnected() for person in people)
    finally:
        await asyncio.gather(*(person.close() for person in people))
    await rotation.client.call("POST", f"/sessions/{before.session}/end", before.api_key)
