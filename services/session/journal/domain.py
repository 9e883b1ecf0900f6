"""An entry of the journal."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.contracts.event import Envelope
from shared.contracts.livekit_events import LiveKitEvent


class EntryKind(StrEnum):
    """An entry's source: an API call, LiveKit, a correction, or an automatic action."""

    COMMAND = "command"
    WEBHOOK = "webhook"
    REPAIR = "repair"
    EVENT = "event"


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """One event of a session; `operation` and `actor` if a call caused it directly."""

    id: str
    session_id: str
    at: datetime
    kind: EntryKind
    name: str
    source: str
    request_id: str | None
    operation: str | None
    actor: str | None
    data: dict[str, Any]

    @classmethod
    def of(cls, envelope: Envelope) -> "JournalEntry":
        event = envelope.event
        return cls(
            id=envelope.id,
            session_id=event.key,
            at=envelope.time,
            kind=_kind(envelope),
            name=event.name,
            source=envelope.source,
            request_id=envelope.request_id,
            operation=envelope.operation,
            actor=envelope.actor,
            data=event.model_dump(mode="json"),
        )


def _kind(envelope: Envelope) -> EntryKind:
    if isinstance(envelope.event, LiveKitEvent):
        return EntryKind.WEBHOOK
    if envelope.event.name.startswith("drift."):
        return EntryKind.REPAIR
    return EntryKind.COMMAND if envelope.actor else EntryKind.EVENT
