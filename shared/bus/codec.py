"""Envelopes as CloudEvents 1.0 in binary mode: attributes in `ce-` headers, the event's JSON as the body.

The mapping is that of `cloudevents.core.bindings.rabbitmq` (the contract tests compare); ours costs a
tenth of its time. What caused an event travels in the extension attributes `requestid`, `operation`,
`actor` and `traceparent` (CloudEvents' extension for distributed tracing).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from shared.clock import milliseconds
from shared.contracts.event import Envelope
from shared.contracts.registry import event_class
from shared.runtime.log import describe

CONTENT_TYPE = "application/json"

HeaderValue = str | int
Headers = dict[str, HeaderValue]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is handed to a broker."""

    headers: Headers
    body: bytes

    @property
    def id(self) -> str:
        return str(self.headers.get("ce-id", ""))


class Malformed(Exception):
    """A message that is no event of ours, or whose data its event refuses; never to be retried."""


class UnknownEvent(Exception):
    """An event of a newer or older release than this one."""


def encode(envelope: Envelope) -> Message:
    event = envelope.event
    headers: Headers = {
        "ce-specversion": "1.0",
        "ce-id": envelope.id,
        "ce-source": envelope.source,
        "ce-type": event.name,
        "ce-time": format_time(envelope.time),
        "ce-subject": event.key,
    }
    if envelope.request_id is not None:
        headers["ce-requestid"] = envelope.request_id
    if envelope.operation is not None:
        headers["ce-operation"] = envelope.operation
    if envelope.actor is not None:
        headers["ce-actor"] = envelope.actor
    if envelope.traceparent is not None:
        headers["ce-traceparent"] = envelope.traceparent
    return Message(headers, event.__pydantic_serializer__.to_json(event))


def decode(headers: Mapping[str, object], body: bytes) -> Envelope:
    """The envelope in a message. Raises UnknownEvent, or Malformed for anything that cannot be read."""
    name = _attribute(headers, "ce-type")
    if _attribute(headers, "ce-specversion") != "1.0":
        raise Malformed("not a CloudEvent 1.0 in binary mode")
    event = event_class(name)
    if event is None:
        raise UnknownEvent(name)
    try:
        return Envelope(
            id=_attribute(headers, "ce-id"),
            source=_attribute(headers, "ce-source"),
            time=milliseconds(datetime.fromisoformat(_attribute(headers, "ce-time"))),
            event=event.model_validate_json(body),
            request_id=_extension(headers, "ce-requestid"),
            operation=_extension(headers, "ce-operation"),
            actor=_extension(headers, "ce-actor"),
            traceparent=_extension(headers, "ce-traceparent"),
        )
    except ValidationError as error:
        raise Malformed(describe(error)) from error
    except ValueError as error:
        raise Malformed("ce-time is no time") from error


def read_time(value: object) -> datetime | None:
    """The time in a header; None if it is none."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and Z."""
    return milliseconds(moment).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _extension(headers: Mapping[str, object], name: str) -> str | None:
    return _attribute(headers, name) if name in headers else None


def _attribute(headers: Mapping[str, object], name: str) -> str:
    value = headers.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(f"header {name} is missing")
    return value
