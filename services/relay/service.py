"""Who may publish, and the relays of those who do."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from prometheus_client import Counter, Gauge

from services.relay.relay import Relay, RelayTarget, StreamKeys
from shared.errors import Conflict, NotFound

log = structlog.get_logger(__name__)

ENCODERS = Gauge("greenroom_relay_encoders", "Encoders whose media is passed on")
ENDED = Counter("greenroom_relay_ended_total", "Relays that ended, by outcome", ["outcome"])

# So long a new encoder waits for the relay of the one before to leave the room.
_END_SECONDS = 3.0


@dataclass(frozen=True)
class _Running:
    client: str
    relay: Relay
    task: asyncio.Task[None]


class RelayService:
    """`new_relay` makes the relay of a stream key.

    `client` is the RTMP server's id of the encoder's connection.
    """

    def __init__(self, stream_keys: StreamKeys, new_relay: Callable[[str], Relay]):
        self._stream_keys = stream_keys
        self._new_relay = new_relay
        self._running: dict[str, _Running] = {}

    async def publish(self, stream_key: str, client: str) -> None:
        """An encoder wants to publish.

        Raises NotFound for a key that is unknown or revoked, Conflict for one in use, and Unavailable.
        """
        target = await self._stream_keys.resolve(stream_key)
        await self._make_way(stream_key)
        await self._start(stream_key, client, target).await_playing()

    async def _make_way(self, stream_key: str) -> None:
        """Wait until the relay of an encoder that is gone has ended. Raises Conflict if one is there."""
        running = self._running.get(stream_key)
        if running is None:
            return
        if running.relay.has_encoder:
            raise Conflict("Another encoder publishes with this stream key", code="already_publishing")
        running.relay.stop()
        await asyncio.wait([running.task], timeout=_END_SECONDS)
        if stream_key in self._running:
            raise Conflict("Another encoder publishes with this stream key", code="already_publishing")

    def playing(self, stream_key: str) -> None:
        """The RTMP server plays to the relay from now on."""
        if stream_key in self._running:
            self._running[stream_key].relay.playing()

    async def still_publishing(self, stream_key: str, client: str) -> None:
        """An encoder goes on publishing: it must still be allowed to.

        One that began before a restart of the relay process has no relay yet. Raises NotFound, Unavailable,
        and Conflict if its media is not passed on unless it starts again.
        """
        running = self._running.get(stream_key)
        if running is not None:
            running.relay.seen()
        try:
            target = await self._stream_keys.resolve(stream_key, running.relay.report if running else None)
        except NotFound:
            if running is not None:
                running.relay.stop()
            raise
        if running is not None and running.relay.refusal is not None:
            log.warning("relay.refused", ingress=target.ingress_id, reason=running.relay.refusal)
            raise Conflict(running.relay.refusal, code="media_not_relayed")
        # One that had a relay when this was asked has left meanwhile.
        if running is None and stream_key not in self._running:
            self._start(stream_key, client, target)

    def publishing_ended(self, stream_key: str, client: str) -> None:
        """An encoder is gone; one that was refused does not end the relay of the one that publishes."""
        running = self._running.get(stream_key)
        if running is not None and running.client == client:
            running.relay.stop()

    def _start(self, stream_key: str, client: str, target: RelayTarget) -> Relay:
        relay = self._new_relay(stream_key)
        task = asyncio.create_task(relay.run(target), name=f"relay of {target.ingress_id}")
        self._running[stream_key] = _Running(client, relay, task)
        ENCODERS.set(len(self._running))
        task.add_done_callback(lambda task: self._ended(stream_key, task))
        return relay

    def _ended(self, stream_key: str, task: asyncio.Task[None]) -> None:
        self._running.pop(stream_key, None)
        ENCODERS.set(len(self._running))
        error = None if task.cancelled() else task.exception()
        ENDED.labels("failed" if error else "ended").inc()
        if error is not None:
            log.error("relay.failed", error=repr(error))

    async def close(self) -> None:
        """Stop all relays, and have their ends reported."""
        running = list(self._running.values())
        for one in running:
            one.relay.stop()
        await asyncio.gather(*(one.task for one in running), return_exceptions=True)
