"""Webhooks as LiveKit sends them, and what reached the bus of them."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime

import aiohttp
import jwt

from deploy.local.stack import Stack
from shared.contracts.event import Envelope
from shared.contracts.livekit_events import LiveKitEvent
from shared.ids import new_id
from tests.contract.api.accounts import Person
from tests.running_stack import RunningStack


class Published:
    """What reached the bus of LiveKit's events, by session; one that came twice counts once."""

    def __init__(self) -> None:
        self._events: dict[str, LiveKitEvent] = {}
        self._more = asyncio.Condition()

    async def take(self, envelope: Envelope) -> None:
        if isinstance(envelope.event, LiveKitEvent):
            async with self._more:
                self._events[envelope.id] = envelope.event
                self._more.notify_all()

    def of(self, session_id: str) -> list[LiveKitEvent]:
        return [event for event in self._events.values() if event.session_id == session_id]

    async def until(self, session_id: str, count: int, *, within: float = 60) -> list[LiveKitEvent]:
        """Wait for this many of the session; raises TimeoutError."""
        return await self.once(session_id, lambda events: len(events) >= count, within=within)

    async def once(
        self, session_id: str, wanted: Callable[[list[LiveKitEvent]], bool], *, within: float
    ) -> list[LiveKitEvent]:
        """Wait until the events of the session are as wanted; raises TimeoutError."""
        async with asyncio.timeout(within), self._more:
            await self._more.wait_for(lambda: wanted(self.of(session_id)))
        return self.of(session_id)


class WebhookClient:
    """Sends webhooks signed with LiveKit's key, straight to egress or through the gateway."""

    def __init__(self, http: aiohttp.ClientSession, running: RunningStack):
        self._http = http
        self._running = running

    def signature(self, body: bytes, secret: str | None = None) -> str:
        stack, now = self._running.info, int(datetime.now(UTC).timestamp())
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        claims = {"iss": stack.livekit_api_key, "nbf": now, "exp": now + 300, "sha256": digest}
        return jwt.encode(claims, secret or stack.livekit_api_secret, algorithm="HS256")

    @property
    def stack(self) -> Stack:
        return self._running.info

    async def post(self, body: bytes, authorization: str | None = None, *, gateway: bool = False) -> int:
        return await self.send(body, authorization or self.signature(body), gateway=gateway)

    async def send(self, body: bytes, authorization: str | None, *, gateway: bool) -> int:
        """The status for a webhook with exactly this header, or without one."""
        stack = self.stack
        base = stack.base_url if gateway else f"http://127.0.0.1:{stack.processes['egress'].port}"
        headers = {"Content-Type": "application/webhook+json"}
        if authorization is not None:
            headers["Authorization"] = authorization
        async with self._http.post(f"{base}/webhooks/livekit", data=body, headers=headers) as response:
            return response.status


def webhook(
    kind: str, session_id: str, person: Person, *, sid: str, joined: datetime, told: datetime
) -> bytes:
    """A participant webhook as LiveKit words it."""
    participant = {
        "sid": sid,
        "identity": f"{person.id}:{new_id()}",
        "state": "ACTIVE",
        "joinedAt": str(int(joined.timestamp())),
        "joinedAtMs": str(int(joined.timestamp() * 1000)),
        "name": "Vera",
        "permission": {"canSubscribe": True},
        "attributes": {"greenroom.role": "audience"},
    }
    return json.dumps(
        {
            "event": kind,
            "room": {"sid": "RM_test", "name": session_id},
            "participant": participant,
            "id": f"EV_{new_id()}",
            "createdAt": str(int(told.timestamp())),
        }
    ).encode()
