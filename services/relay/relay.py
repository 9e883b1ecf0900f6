"""One encoder's media on its way into a room, for as long as the encoder publishes."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

import structlog

from services.relay.transcoder_process import Transcoder
from shared.clock import Clock, to_unix_ns
from shared.errors import NotFound, Unavailable
from shared.http.internal import InternalCalls, InternalClient, UnexpectedStatus
from shared.ids import new_id
from shared.livekit.webhook_sender import WebhookSender

_TIMEOUT_SECONDS: Final = 5.0


@dataclass(frozen=True)
class RelayTarget:
    """An ingress, the room its media goes to, and where to publish it by WHIP (a token included)."""

    ingress_id: str
    room: str
    identity: str
    whip_url: str = field(repr=False)


class StreamKeys(Protocol):
    async def resolve(self, stream_key: str) -> RelayTarget:
        """Raises NotFound for a key that is unknown or revoked, and Unavailable."""
        ...


class EgressStreamKeys:
    """Asks the egress service."""

    def __init__(self, egress_url: str, calls: InternalCalls):
        self._client = InternalClient("egress", egress_url, calls, timeout_seconds=_TIMEOUT_SECONDS)

    async def resolve(self, stream_key: str) -> RelayTarget:
        try:
            return await self._client.post("/internal/relay-orders", RelayTarget, {"stream_key": stream_key})
        except UnexpectedStatus as error:
            if error.answered == 404:
                raise NotFound("There is no such stream key", code="stream_key_unknown") from error
            raise

    async def close(self) -> None:
        await self._client.close()


log = structlog.get_logger(__name__)

# The room opens a moment after the encoder began; LiveKit or the network may be away for longer.
_RETRY_SECONDS = 0.5


class Relay:
    """`source` is where the RTMP server plays what is published under the key."""

    def __init__(
        self,
        stream_key: str,
        source: str,
        stream_keys: StreamKeys,
        transcoder: Transcoder,
        webhooks: WebhookSender,
        clock: Clock,
    ):
        self._stream_key = stream_key
        self._source = source
        self._stream_keys = stream_keys
        self._transcoder = transcoder
        self._webhooks = webhooks
        self._clock = clock
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """The encoder is gone, or is to be disconnected."""
        self._stopped.set()

    async def run(self, target: RelayTarget) -> None:
        """Relay and retry until `stop`, or until the key is revoked; reports its start and its end."""
        since = self._clock.now()
        started = {"status": "ENDPOINT_PUBLISHING", "startedAt": str(to_unix_ns(since))}
        await self._webhooks.send(_webhook("ingress_started", target, since, started))
        try:
            while not self._stopped.is_set():
                await self._try(target)
                if self._stopped.is_set():
                    break
                await asyncio.sleep(_RETRY_SECONDS)
                target = await self._refreshed(target)
        except NotFound:
            log.info("relay.revoked", ingress=target.ingress_id, session=target.room)
        finally:
            self._stopped.set()
            now = self._clock.now()
            # No status is ENDPOINT_INACTIVE.
            ended = {"startedAt": str(to_unix_ns(since)), "endedAt": str(to_unix_ns(now))}
            await self._webhooks.send(_webhook("ingress_ended", target, now, ended))

    async def _try(self, target: RelayTarget) -> None:
        def flowing() -> None:
            log.info("relay.flowing", ingress=target.ingress_id, session=target.room)

        try:
            await self._transcoder(self._source, target.whip_url, self._stopped, flowing)
        except Unavailable as error:
            log.info(
                "relay.interrupted", ingress=target.ingress_id, session=target.room, reason=error.message
            )

    async def _refreshed(self, target: RelayTarget) -> RelayTarget:
        """With a new token; the old one if the egress service is away. Raises NotFound for a revoked key."""
        try:
            return await self._stream_keys.resolve(self._stream_key)
        except Unavailable:
            return target


def _webhook(event: str, target: RelayTarget, at: datetime, state: dict[str, str]) -> dict[str, Any]:
    """A webhook with LiveKit's `IngressInfo` (livekit_ingress.proto) in protobuf JSON.

    64-bit integers are strings, times are in nanoseconds, zero values are left out.
    """
    return {
        "event": event,
        "id": f"EV_{new_id()}",
        "createdAt": str(int(at.timestamp())),
        "ingressInfo": {
            "ingressId": target.ingress_id,
            "roomName": target.room,
            "participantIdentity": target.identity,
            "state": state,
        },
    }
