"""Sending notices through LiveKit."""

from datetime import timedelta
from typing import Final

import orjson
import structlog

from services.session.notices.domain import notice_of
from shared.clock import Clock
from shared.contracts.event import Envelope
from shared.livekit import LiveKit

log = structlog.get_logger(__name__)

TOPIC: Final = "greenroom"
# What could not be told for so long is no news; whoever was away reads the state when they are back.
_STALE = timedelta(seconds=30)


class NoticeService:
    def __init__(self, livekit: LiveKit, clock: Clock):
        self._livekit = livekit
        self._clock = clock

    async def tell(self, envelope: Envelope) -> None:
        """Tell everybody in the event's room. Raises `Unavailable`: then it is told a little later."""
        notice = notice_of(envelope.event)
        if notice is None:
            return
        if self._clock.now() - envelope.time > _STALE:
            log.warning("notice.stale", id=envelope.id, type=envelope.event.name)
            return
        # `id` is the event's, since a notice may come twice.
        payload = orjson.dumps({"id": envelope.id, **notice})
        await self._livekit.send_data(envelope.event.key, payload, topic=TOPIC)
