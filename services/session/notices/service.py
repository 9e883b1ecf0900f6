"""Sending notices through LiveKit."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import orjson
import structlog

from services.session.notices.domain import CONFIDENTIAL, TABLE, Confidential, Fields, notice_of
from services.session.sessions.repository import SessionRepository
from shared.access.permissions import permissions_in_session
from shared.bus import Group
from shared.clock import Clock
from shared.contracts.event import Envelope
from shared.livekit import LiveKit

log = structlog.get_logger(__name__)

TOPIC: Final = "greenroom"
# Older notices are dropped; clients read the state when they reconnect.
_STALE = timedelta(seconds=30)


class NoticeRecipients:
    """Who in a room a confidential notice is for."""

    def __init__(self, sessions: SessionRepository, livekit: LiveKit):
        self._sessions = sessions
        self._livekit = livekit

    async def of(self, session_id: str, notice: Confidential) -> Sequence[str]:
        """The identities of those connections. Raises `Unavailable`."""
        session = await self._sessions.find(session_id)
        if session is None or not session.is_live:
            return []
        staff = {session.host_id, *session.roles}
        allowed = {
            user_id
            for user_id in staff
            if getattr(permissions_in_session(session, session.preset.settings, user_id), notice.permission)
        }
        there = await self._livekit.list_participants(session_id)
        return [one.identity for one in there if one.identity.partition(":")[0] in {notice.user_id, *allowed}]


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


GROUP: Final = "session.notices"


def notice_group(notices: NoticeService) -> Group:
    return Group(GROUP, dict.fromkeys([*TABLE, *CONFIDENTIAL], notices.publish))
