"""The steps of traces that events make: one when it is sent, one for each group that handles it.

Names and attributes follow OpenTelemetry's conventions for messaging.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from shared.bus.ports import EXCHANGE
from shared.contracts.event import Envelope
from shared.runtime import tracing
from shared.runtime.tracing import Attributes, Span, SpanKind

_SYSTEM = {"messaging.system": "rabbitmq"}


def sending(envelope: Envelope) -> AbstractContextManager[Span]:
    """A step of the trace in which the event was stored."""
    name = envelope.event.name
    attributes = {
        **_SYSTEM,
        **_about(envelope),
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": EXCHANGE,
    }
    return tracing.span(f"send {name}", SpanKind.PRODUCER, attributes, parent=envelope.traceparent)


def handling(group: str, envelopes: Sequence[Envelope]) -> AbstractContextManager[Span]:
    """One call of a group's handler; a batch is a step of several traces."""
    if not tracing.is_on():
        return tracing.NOTHING
    names = sorted({envelope.event.name for envelope in envelopes})
    attributes: Attributes = {
        **_SYSTEM,
        **(_about(envelopes[0]) if len(envelopes) == 1 else {}),
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": EXCHANGE,
        "messaging.consumer.group.name": group,
        "messaging.batch.message_count": len(envelopes),
        "greenroom.events": names,
    }
    what = names[0] if len(names) == 1 else "events"
    parents = [envelope.traceparent for envelope in envelopes if envelope.traceparent]
    return tracing.of_several(f"process {what} by {group}", SpanKind.CONSUMER, attributes, parents)


def _about(envelope: Envelope) -> dict[str, str]:
    event = envelope.event
    session = {"greenroom.session_id": event.key} if event.in_session else {}
    return {"messaging.message.id": envelope.id, "greenroom.event": event.name, **session}
