"""Notices to everybody in the room, over real connections to LiveKit."""

import asyncio

import orjson
from livekit import rtc

from deploy.local.stack import Stack
from tests.contract.api.accounts import Person
from tests.contract.api.fixtures import Fixtures

CONNECTED_WITHIN, TOLD_WITHIN = 20.0, 10.0


class Listener:
    """Somebody in the room; `heard` are the notices so far."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.heard: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        self.room.on("data_received", self._hear)

    def _hear(self, packet: rtc.DataPacket) -> None:
        if packet.topic == "greenroom":
            self.heard.put_nowait(orjson.loads(packet.data))

    async def join(self, fixtures: Fixtures, stack: Stack, session: str, person: Person) -> None:
        token = (await fixtures.do("join", session, person)).data["livekit_token"]
        async with asyncio.timeout(CONNECTED_WITHIN):
            await self.room.connect(stack.livekit_url, token)

    async def told(self, type_: str) -> dict[str, object]:
        """The next notice of this type."""
        async with asyncio.timeout(TOLD_WITHIN):
            while True:
                notice = await self.heard.get()
                if notice["type"] == type_:
                    return notice


async def test_everybody_in_the_room_is_told_of_the_hosts_camera_and_of_settings(
    fixtures: Fixtures, stack: Stack
) -> None:
    session = await fixtures.live_session()
    listeners = [Listener(), Listener()]
    try:
        for listener, person in zip(
            listeners, (fixtures.host, await fixtures.viewer_of_its_own()), strict=True
        ):
            await listener.join(fixtures, stack, session, person)
        token, path = fixtures.host.access_token, f"/sessions/{session}"
        await fixtures.client.call("POST", f"{path}/host_video_state", token, {"enabled": False})
        for listener in listeners:
            notice = await listener.told("session.host_media_changed.v1")
            assert (notice["session_id"], notice["media"], notice["enabled"]) == (session, "video", False)
            assert notice["user_id"] == fixtures.host.id
        await fixtures.client.call("PATCH", f"{path}/settings", token, {"chat_enabled": False})
        for listener in listeners:
            assert (await listener.told("session.updated.v1"))["effective_chat_enabled"] is False
    finally:
        for listener in listeners:
            await listener.room.disconnect()


async def test_the_hosts_camera_is_told_only_while_the_session_is_live(fixtures: Fixtures) -> None:
    for session in (await fixtures.session(), await fixtures.ended_session()):
        for what in ("host_video_state", "host_audio_state"):
            path = f"/sessions/{session}/{what}"
            answer = await fixtures.client.call("POST", path, fixtures.host.access_token, {"enabled": True})
            answer.check_refusal(409, "session_not_live")


async def test_a_studio_url_signs_the_host_in_once(fixtures: Fixtures) -> None:
    session = await fixtures.session()
    link = (await fixtures.do("studio_url", session)).data
    assert link["studio_url"].endswith(f"/studio/{session}?code={link['code']}")
    body = {"code": link["code"]}
    first = await fixtures.client.call("POST", "/auth/exchange-code", body=body)
    assert first.data["user"]["id"] == fixtures.host.id
    (await fixtures.client.call("POST", "/auth/exchange-code", body=body)).check_refusal(401)
