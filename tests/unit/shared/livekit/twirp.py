"""A stand-in for LiveKit's server API: takes calls apart by LiveKit's own protobuf definitions."""

from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from livekit.protocol import egress, ingress

# What each method of LiveKit's services takes (livekit_egress.proto, livekit_ingress.proto). A stream key is
# rotated by making another ingress, so there is no UpdateIngress.
METHODS: dict[str, type[Message]] = {
    "livekit.Egress/StartRoomCompositeEgress": egress.RoomCompositeEgressRequest,
    "livekit.Egress/StopEgress": egress.StopEgressRequest,
    "livekit.Egress/UpdateStream": egress.UpdateStreamRequest,
    "livekit.Egress/ListEgress": egress.ListEgressRequest,
    "livekit.Ingress/CreateIngress": ingress.CreateIngressRequest,
    "livekit.Ingress/DeleteIngress": ingress.DeleteIngressRequest,
    "livekit.Ingress/ListIngress": ingress.ListIngressRequest,
}


@dataclass(frozen=True)
class Called:
    """One call: its method, what it asked in LiveKit's protobuf JSON, and the grants of its token.

    Without what the SDK lets everybody do who is in a room: such tokens are for none.
    """

    method: str
    asked: dict[str, Any]
    grants: dict[str, Any]


class Twirp:
    """`calls` are those that came; `answers` by method are given in turn, the last of them for good.

    A status with a Twirp code, and perhaps a message, is an error.
    """

    def __init__(self, secret: str) -> None:
        self.calls: list[Called] = []
        self.answers: defaultdict[str, deque[Message | tuple[int, str] | tuple[int, str, str]]] = defaultdict(
            deque
        )
        self._secret = secret

    def answer(self, method: str, *answers: Message | tuple[int, str] | tuple[int, str, str]) -> None:
        self.answers[method].extend(answers)

    async def take(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        asked = METHODS[method].FromString(await request.read())
        assert request.content_type == "application/protobuf"
        assert len(UnknownFieldSet(asked)) == 0
        token = request.headers["Authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, self._secret, algorithms=["HS256"])
        grants = {name: value for name, value in claims["video"].items() if not name.startswith("can")}
        self.calls.append(Called(method, MessageToDict(asked), grants))
        waiting = self.answers[method]
        given = waiting.popleft() if len(waiting) > 1 else waiting[0]
        if isinstance(given, tuple):
            return web.json_response({"code": given[1], "msg": given[-1]}, status=given[0])
        return web.Response(body=given.SerializeToString(), content_type="application/protobuf")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Its address."""
        app = web.Application()
        app.router.add_post("/twirp/{method:.*}", self.take)
        async with TestServer(app) as server:
            yield str(server.make_url("/"))
