"""An entry of the journal."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.contracts.event import Envelope, Event
from shared.contracts.livekit_events import LiveKitEvent, ParticipantEvent, TrackEvent
from shared.ids import connection_id, new_id


class EntryKind(StrEnum):
    """An entry's source: an API call, LiveKit, a correction, or an automatic action."""

    COMMAND = "command"
    WEBHOOK = "webhook"
    REPAIR = "repair"
    EVENT = "event"


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """One event of a session; `operation` and `actor` if a call caused it directly.

    `place` grows with each entry, so that a session's entries stay in the order of their arrival.
    `connection_id` is the public id of the connection that it is about. `at` is when it was stored with the
    change, a webhook's when it arrived; `recorded_at` is when it came into the journal, which entries of
    earlier releases do not say.
    """

    id: str
    place: str
    session_id: str
    at: datetime
    kind: EntryKind
    name: str
    source: str
    request_id: str | None
    operation: str | None
    actor: str | None
    connection_id: str | None = None
    recorded_at: datetime | None = None
    data: dict[str, Any]

    @classmethod
    def of(cls, envelope: Envelope, recorded_at: datetime | None = None) -> "JournalEntry":
        event = envelope.event
        return cls(
            id=envelope.id,
            place=new_id(),
            session_id=event.key,
            at=envelope.time,
            kind=_kind(envelope),
            name=event.name,
            source=envelope.source,
            request_id=envelope.request_id,
            operation=envelope.operation,
            actor=envelope.actor,
            connection_id=_connection_of(event),
            recorded_at=recorded_at,
            data=event.model_dump(mode="json"),
        )


def _connection_of(event: Event) -> str | None:
    if isinstance(event, ParticipantEvent):
        return connection_id(event.session_id, event.connection.participant_sid)
    if isinstance(event, TrackEvent):
        return connection_id(event.session_id, event.participant_sid)
    return None


def _kind(envelope: Envelope) -> EntryKind:
    if isinstance(envelope.event, LiveKitEvent):
        return EntryKind.WEBHOOK
    if envelope.event.name.startswith("drift."):
        return EntryKind.REPAIR
    return EntryKind.COMMAND if envelope.actor else EntryKind.EVENT
