"""Sending notices through LiveKit."""

from datetime import timedelta
from typing import Final

import orjson
import structlog

from services.session.notices.domain import Confidential, Fields, notice_of
from services.session.notices.recipients import NoticeRecipients
from shared.clock import Clock
from shared.contracts.event import Envelope
from shared.livekit import LiveKit

log = structlog.get_logger(__name__)

TOPIC: Final = "greenroom"
# Older notices are dropped; clients read the state when they reconnect.
_STALE = timedelta(seconds=30)


class NoticeService:
    def __init__(self, livekit: LiveKit, recipients: NoticeRecipients, clock: Clock):
        self._livekit = livekit
        self._recipients = recipients
        self._clock = clock

    async def publish(self, envelope: Envelope) -> None:
        """Send it to its recipients in the room. Raises `Unavailable`: then it is retried."""
        notice, room = notice_of(envelope.event), envelope.event.key
        if notice is None:
            return
        if self._clock.now() - envelope.time > _STALE:
            log.warning("notice.stale", id=envelope.id, type=envelope.event.name)
            return
        if not isinstance(notice, Confidential):
            await self._livekit.send_data(room, _payload(envelope, notice), topic=TOPIC)
            return
        identities = await self._recipients.of(room, notice)
        if identities:
            payload = _payload(envelope, notice.fields)
            await self._livekit.send_data(room, payload, topic=TOPIC, destination_identities=identities)


def _payload(envelope: Envelope, fields: Fields) -> bytes:
    """`id` is the event's, since a notice may come twice."""
    event = envelope.event
    return orjson.dumps({"id": envelope.id, "type": event.name, "session_id": event.key, **fields})
