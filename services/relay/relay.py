"""One encoder's media on its way into a room, for as long as the encoder publishes."""

import asyncio
from datetime import datetime
from typing import Any

import structlog

from services.relay.stream_keys import RelayTarget, StreamKeys
from services.relay.transcoder_process import Transcoder
from shared.clock import Clock, to_unix_ns
from shared.errors import NotFound, Unavailable
from shared.ids import new_id
from shared.livekit.webhook_sender import WebhookSender

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
