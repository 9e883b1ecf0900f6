"""Webhooks as LiveKit sends them: signed with its key, with times that are known beforehand."""

import base64
import hashlib
import json
from datetime import UTC, datetime

import jwt

from deploy.local.stack import Stack
from shared.clock import milliseconds
from shared.ids import new_id
from tests.chaos.caller import Caller, Outcome
from tests.chaos.ledger import ConnectionEntry

PATH = "/webhooks/livekit"
# LiveKit would give up sooner; what we tell must arrive, so that the truth is known.
PATIENCE = 90.0


class WebhookSender:
    """Reports connections through the gateway; each webhook is repeated until it is acknowledged."""

    def __init__(self, caller: Caller, stack: Stack):
        self._caller = caller
        self._key, self._secret = stack.livekit_api_key, stack.livekit_api_secret

    async def joined(self, session_id: str, user_id: str, *, host: bool = False) -> ConnectionEntry:
        connection = ConnectionEntry(f"PA_{new_id()}", user_id, milliseconds(datetime.now(UTC)), host)
        connection.join_told = await self._tell("participant_joined", session_id, connection)
        return connection

    async def left(self, session_id: str, connection: ConnectionEntry) -> None:
        """Left a second ago or more: `createdAt` has whole seconds, and counts as it is when it is past."""
        whole = datetime.fromtimestamp(int(datetime.now(UTC).timestamp()) - 1, UTC)
        connection.left_at = max(whole, connection.joined_at)
        connection.leave_told = await self._tell("participant_left", session_id, connection)

    async def published(self, session_id: str, user_id: str) -> None:
        """Somebody published a track, which changes nothing."""
        connection = ConnectionEntry(f"PA_{new_id()}", user_id, milliseconds(datetime.now(UTC)))
        track = {"track": {"sid": f"TR_{new_id()}", "type": "VIDEO", "source": "CAMERA"}}
        await self._send(_body("track_published", session_id, connection) | track)

    async def _tell(self, event: str, session_id: str, connection: ConnectionEntry) -> Outcome:
        return await self._send(_body(event, session_id, connection))

    async def _send(self, webhook: dict[str, object]) -> Outcome:
        body = json.dumps(webhook).encode()
        headers = {"Content-Type": "application/webhook+json", "Authorization": self._signature(body)}
        answer = await self._caller.surely(
            "webhook", "POST", PATH, raw=body, headers=headers, patience=PATIENCE
        )
        return answer.outcome

    def _signature(self, body: bytes) -> str:
        now = int(datetime.now(UTC).timestamp())
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        claims = {"iss": self._key, "nbf": now, "exp": now + 300, "sha256": digest}
        return jwt.encode(claims, self._secret, algorithm="HS256")


def _body(event: str, session_id: str, connection: ConnectionEntry) -> dict[str, object]:
    told = connection.left_at or connection.joined_at
    participant = {
        "sid": connection.sid,
        "identity": f"{connection.user_id}:{new_id()}",
        "state": "ACTIVE",
        "joinedAt": str(int(connection.joined_at.timestamp())),
        "joinedAtMs": str(round(connection.joined_at.timestamp() * 1000)),
        "name": "Somebody",
        "permission": {"canSubscribe": True},
        "attributes": {"greenroom.role": "host" if connection.host else "audience"},
    }
    room = {"sid": "RM_chaos", "name": session_id}
    webhook: dict[str, object] = {"event": event, "room": room, "participant": participant}
    return {
        **webhook,
        "id": f"EV_{new_id()}",
        "createdAt": str(int(told.timestamp())),
    }
