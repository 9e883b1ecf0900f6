"""Event handlers of ingests: the end of a session, and encoders that start or stop sending."""

from typing import Final

from services.egress.ingest.service import IngestService
from shared.bus import Group, Handler, on
from shared.contracts.event import Envelope
from shared.contracts.livekit_events import IngressEnded, IngressStarted
from shared.contracts.session_events import SessionDeleted, SessionEnded, SessionEvent, SessionExpired
from shared.contracts.states import SessionMode

GROUP: Final = "egress.ingest"


def ingest_group(ingests: IngestService) -> Group:
    over = _over(ingests)
    return Group(
        GROUP,
        {
            SessionEnded: over,
            SessionExpired: over,
            SessionDeleted: over,
            **dict(on(event, ingests.follow) for event in (IngressStarted, IngressEnded)),
        },
    )


def _over(ingests: IngestService) -> Handler:
    async def handle(envelope: Envelope) -> None:
        event = envelope.event
        if not isinstance(event, SessionEvent):
            raise TypeError(f"not about a session: {event.name}")
        await ingests.close(event.session.id, remember=event.session.mode is SessionMode.RTMP)

    return handle
