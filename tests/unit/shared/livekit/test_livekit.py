"""Join tokens, and LiveKit's answers as ours."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit.protocol.webhook import WebhookEvent as Protobuf
from pydantic import BaseModel

from shared.contracts.states import Role
from shared.egress.engine import EncodingOptions
from shared.errors import Unavailable
from shared.livekit import (
    JoinGrant,
    LiveKitApi,
    LiveKitRefused,
    Permissions,
    RoomCompositeOrder,
    TokenMint,
    TrackSource,
    WebhookEvent,
)
from tests.fakes.fake_clock import FakeClock

KEY, SECRET = "APIkey", "a-secret-of-at-least-thirty-two-bytes"


def minted(grant: JoinGrant, clock: FakeClock | None = None) -> dict[str, Any]:
    token = TokenMint(KEY, SECRET, clock or FakeClock()).join_token(grant, lifetime=timedelta(minutes=5))
    decoded: dict[str, Any] = jwt.decode(
        token, SECRET, algorithms=["HS256"], options={"verify_exp": False, "verify_nbf": False}
    )
    return decoded


def test_a_join_token_says_everything_and_leaves_nothing_to_defaults() -> None:
    clock = FakeClock()
    grant = JoinGrant(
        room="session",
        identity="user:sign-in",
        name="Ada",
        role=Role.STAGE,
        can_publish=True,
        can_publish_sources=(TrackSource.CAMERA, TrackSource.MICROPHONE),
        can_publish_data=True,
    )
    now = int(clock.now().timestamp())
    assert minted(grant, clock) == {
        "iss": KEY,
        "sub": "user:sign-in",
        "name": "Ada",
        "nbf": now,
        "exp": now + 300,
        "attributes": {"greenroom.role": "stage", "greenroom.issued": f"{now}000"},
        "video": {
            "roomJoin": True,
            "room": "session",
            "canPublish": True,
            "canPublishSources": ["camera", "microphone"],
            "canSubscribe": True,
            "canPublishData": True,
            "canUpdateOwnMetadata": False,
            "hidden": False,
            "recorder": False,
        },
    }


def test_no_sources_means_no_publishing() -> None:
    grant = JoinGrant("r", "u:s", "U", Role.AUDIENCE, can_publish=True, can_publish_sources=())
    video = minted(grant)["video"]
    assert video["canPublish"] is False
    assert "canPublishSources" not in video


def test_a_monitor_carries_its_role_as_everybody() -> None:
    claims = minted(JoinGrant("r", "u:s", "M", Role.MODERATOR, hidden=True, recorder=True))
    assert (claims["video"]["hidden"], claims["video"]["recorder"]) == (True, True)
    assert claims["attributes"]["greenroom.role"] == "moderator"


@pytest.mark.parametrize(("room", "identity"), [("", "u:s"), ("r", "")])
def test_a_token_for_nobody_or_nowhere_is_a_mistake(room: str, identity: str) -> None:
    with pytest.raises(ValueError, match="needs a room and an identity"):
        minted(JoinGrant(room, identity, "U", Role.HOST))


def _names(model: type[BaseModel], descriptor: Any, path: str = "") -> list[str]:
    """Fields of `model` that the protobuf message does not have under the same JSON name."""
    fields = {field.json_name: field for field in descriptor.fields}
    wrong: list[str] = []
    for name, info in model.model_fields.items():
        alias = info.alias or name
        if alias not in fields:
            wrong.append(f"{path}.{alias}")
            continue
        parts = [part for part in (info.annotation, *getattr(info.annotation, "__args__", ())) if part]
        for part in parts:
            if isinstance(part, type) and issubclass(part, BaseModel):
                wrong += _names(part, fields[alias].message_type, f"{path}.{alias}")
    return wrong


def test_the_fields_we_read_are_the_protocols() -> None:
    assert _names(WebhookEvent, Protobuf.DESCRIPTOR) == []


class Server:
    """Stands in for LiveKit where it misbehaves: answers every call with `status` and `body`."""

    def __init__(self) -> None:
        self.status = 200
        self.body: dict[str, str] | str = ""
        self.held = asyncio.Event()
        self.held.set()

    async def answer(self, _: web.Request) -> web.Response:
        await self.held.wait()
        if isinstance(self.body, dict):
            return web.json_response(self.body, status=self.status)
        return web.Response(text=self.body, status=self.status)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def livekit(server: Server) -> AsyncIterator[LiveKitApi]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    running = TestServer(app)
    await running.start_server()
    api = LiveKitApi(str(running.make_url("/")), KEY, SECRET, timeout=0.3)
    yield api
    server.held.set()
    await api.close()
    await running.close()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, {"code": "unavailable", "msg": "no response from servers"}),
        (500, {"code": "internal", "msg": "redis: connection refused"}),
        (408, {"code": "deadline_exceeded", "msg": "request timed out"}),
        (429, {"code": "resource_exhausted", "msg": "limit"}),
        (502, "<html>a proxy's own page</html>"),
    ],
)
async def test_an_inability_is_unavailable(
    server: Server, livekit: LiveKitApi, status: int, body: dict[str, str] | str
) -> None:
    server.status, server.body = status, body
    with pytest.raises(Unavailable):
        await livekit.delete_room("r")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (403, {"code": "permission_denied", "msg": "no"}, "permission_denied"),
        (400, {"code": "invalid_argument", "msg": "bad"}, "invalid_argument"),
        (401, "invalid API key", "status 401"),
    ],
)
async def test_a_refusal_tells_its_reason(
    server: Server, livekit: LiveKitApi, status: int, body: dict[str, str] | str, reason: str
) -> None:
    server.status, server.body = status, body
    with pytest.raises(LiveKitRefused) as refusal:
        await livekit.ping()
    assert refusal.value.reason == reason
    assert refusal.value.status == 502
    assert SECRET not in refusal.value.message


async def test_what_is_not_there_is_no_error(server: Server, livekit: LiveKitApi) -> None:
    server.status, server.body = 404, {"code": "not_found", "msg": "there is none"}
    await livekit.delete_room("r")
    await livekit.delete_ingress("IN_1")
    assert await livekit.remove_participant("r", "u:s") is False
    assert await livekit.update_participant("r", "u:s", Permissions()) is False
    assert await livekit.list_participants("r") == []
    with pytest.raises(LiveKitRefused):
        await livekit.create_rtmp_ingress("r", "u:ingress", "r", "U")


async def test_a_server_that_hangs_is_given_up(server: Server, livekit: LiveKitApi) -> None:
    server.held.clear()
    with pytest.raises(Unavailable):
        await livekit.create_room("r", empty_timeout=1, departure_timeout=1)


async def test_a_start_without_an_answer_tells_of_workers(server: Server, livekit: LiveKitApi) -> None:
    """LiveKit waits for one, and answers everything else meanwhile."""
    server.held.clear()
    client = livekit.egresses(timeout=0.3)
    order = RoomCompositeOrder(
        room="r",
        encoding=EncodingOptions(
            width=640,
            height=360,
            frame_rate=25,
            video_kbps=800,
            audio_kbps=96,
            segment_seconds=2,
        ),
        segments_prefix=None,
        file_path="a.mp4",
        playlist_name="index.m3u8",
        live_playlist_name="live.m3u8",
        s3=None,
    )
    with pytest.raises(Unavailable, match="no egress worker"):
        await client.start_room_composite(order)
    with pytest.raises(Unavailable, match="LiveKit is unavailable"):
        await client.list_egresses("r")


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    api = LiveKitApi("http://127.0.0.1:1", KEY, SECRET)
    with pytest.raises(Unavailable):
        await api.list_rooms()
    assert await api.list_rooms([]) == []
    await api.close()


async def test_closing_what_was_never_used_is_fine() -> None:
    await LiveKitApi("http://127.0.0.1:1", KEY, SECRET).close()
