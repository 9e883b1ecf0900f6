"""One encoder's media on its way into a room, for as long as the encoder publishes."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import structlog

from services.relay.input_report import InputReport
from services.relay.transcoder_process import Transcoder
from shared.clock import Clock, to_unix_ns
from shared.errors import NotFound, Unavailable
from shared.http.internal import InternalCalls, InternalClient, UnexpectedStatus
from shared.ids import new_id
from shared.livekit.webhook_sender import WebhookSender

_TIMEOUT_SECONDS: Final = 5.0


@dataclass(frozen=True)
class RelayTarget:
    """An ingress, the room its media goes to, and the token to join it with."""

    ingress_id: str
    room: str
    identity: str
    token: str = field(repr=False)


class StreamKeys(Protocol):
    async def resolve(self, stream_key: str, report: InputReport | None = None) -> RelayTarget:
        """`report`: what the encoder sends. Raises NotFound (unknown or revoked key) and Unavailable."""
        ...


class EgressStreamKeys:
    """Asks the egress service."""

    def __init__(self, egress_url: str, calls: InternalCalls):
        self._client = InternalClient("egress", egress_url, calls, timeout_seconds=_TIMEOUT_SECONDS)

    async def resolve(self, stream_key: str, report: InputReport | None = None) -> RelayTarget:
        order: dict[str, object] = {"stream_key": stream_key}
        if report is not None:
            order["input"] = report.to_json()
        try:
            return await self._client.post("/internal/relay-orders", RelayTarget, order)
        except UnexpectedStatus as error:
            if error.answered == 404:
                raise NotFound("There is no such stream key", code="stream_key_unknown") from error
            raise

    async def close(self) -> None:
        await self._client.close()


log = structlog.get_logger(__name__)

# The room opens a moment after the encoder began; LiveKit or the network may be away for longer.
_RETRY_SECONDS = 0.5
# The RTMP server asks every second whether an encoder may go on.
_UNSEEN = timedelta(seconds=8)
# So long an encoder that wants to publish waits for us to be there.
_PLAYING_SECONDS = 3.0


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
        self._playing = asyncio.Event()
        self._seen_at = clock.now()
        self._from_beginning = False
        self.report = InputReport()
        """What the encoder sends, as last reported."""

    @property
    def refusal(self) -> str | None:
        """Why the encoder is to be disconnected: what cannot be decoded may be if it starts again."""
        problem = self.report.problem
        return f"{problem}; the encoder has to start again" if problem and not self._from_beginning else None

    def stop(self) -> None:
        """The encoder is gone, or is to be disconnected."""
        self._stopped.set()

    def seen(self) -> None:
        """The RTMP server says that the encoder is still there."""
        self._seen_at = self._clock.now()

    @property
    def has_encoder(self) -> bool:
        """The RTMP server does not report the end of an encoder that left while it was asked to wait."""
        return not self._stopped.is_set() and self._clock.now() - self._seen_at < _UNSEEN

    def playing(self) -> None:
        """The RTMP server plays to us from now on."""
        self._playing.set()

    async def await_playing(self) -> None:
        """So that the encoder's first words are not missed: the server keeps those of H.264 and AAC alone.

        They may be if the server does not play in time.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_PLAYING_SECONDS):
                await self._playing.wait()
                self._from_beginning = True

    async def run(self, target: RelayTarget) -> None:
        """Relay and retry until `stop`, or until the key is revoked; reports its start and its end."""
        since = self._clock.now()
        started = {"status": "ENDPOINT_PUBLISHING", "startedAt": str(to_unix_ns(since))}
        await self._webhooks.send(_webhook("ingress_started", target, since, started))
        try:
            while not self._stopped.is_set():
                await self._try(target)
                if not self.has_encoder:
                    break
                await asyncio.sleep(_RETRY_SECONDS)
                target = await self._refreshed(target)
        except NotFound:
            log.info("relay.revoked", ingress=target.ingress_id, session_id=target.room)
        finally:
            self._stopped.set()
            now = self._clock.now()
            # No status is ENDPOINT_INACTIVE.
            ended = {"startedAt": str(to_unix_ns(since)), "endedAt": str(to_unix_ns(now))}
            await self._webhooks.send(_webhook("ingress_ended", target, now, ended))

    async def _try(self, target: RelayTarget) -> None:
        about = {"ingress": target.ingress_id, "session": target.room}

        def reported(report: InputReport) -> None:
            if report != self.report:
                log.info("relay.input", **about, **report.to_json())
            if report.problem not in {None, self.report.problem}:
                log.warning("relay.problem", **about, problem=report.problem)
            self.report = report

        try:
            await self._transcoder(self._source, target.token, self._stopped, reported)
        except Unavailable as error:
            log.info("relay.interrupted", **about, reason=error.message)
        # What follows is played to us from its middle, and has to be judged anew.
        self._from_beginning, self.report = False, replace(self.report, problem=None)

    async def _refreshed(self, target: RelayTarget) -> RelayTarget:
        """With a new token; the old one if the egress service is away. Raises NotFound for a revoked key."""
        try:
            return await self._stream_keys.resolve(self._stream_key, self.report)
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
