"""Events to publish, and a handler that remembers what it saw."""

from collections.abc import Sequence
from datetime import UTC, datetime

from shared.contracts.event import Envelope, partition_of
from shared.contracts.livekit_events import LiveKitRoomFinished, LiveKitRoomStarted
from shared.ids import new_id

AT = datetime(2026, 11, 21, 10, 0, 0, 250_000, tzinfo=UTC)


def started(number: int | str, session_id: str = "a-session") -> Envelope:
    """An event that carries `number` as its room's sid."""
    event = LiveKitRoomStarted(session_id=session_id, occurred_at=AT, room_sid=str(number))
    return Envelope(id=new_id(), source="greenroom/tests", time=AT, event=event, request_id="a-request")


def finished(number: int | str, session_id: str = "a-session") -> Envelope:
    event = LiveKitRoomFinished(session_id=session_id, occurred_at=AT, room_sid=str(number))
    return Envelope(id=new_id(), source="greenroom/tests", time=AT, event=event)


def sid(envelope: Envelope) -> str:
    assert isinstance(envelope.event, LiveKitRoomStarted | LiveKitRoomFinished)
    return envelope.event.room_sid


def sessions_in_other_partitions(count: int) -> list[str]:
    """Session ids, each of a partition of its own."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < count:
        found.setdefault(partition_of(f"session-{number}"), f"session-{number}")
        number += 1
    return list(found.values())


class Seen:
    """What handlers were given, in order."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.batches: list[list[str]] = []

    @property
    def sids(self) -> list[str]:
        return [sid(envelope) for envelope in self.envelopes]

    async def one(self, envelope: Envelope) -> None:
        self.envelopes.append(envelope)

    async def batch(self, envelopes: Sequence[Envelope]) -> None:
        self.batches.append([sid(envelope) for envelope in envelopes])
        self.envelopes.extend(envelopes)
