"""The events as an AsyncAPI 3.0 document, from the registry alone.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from typing import Any

from pydantic.json_schema import models_json_schema

from shared.contracts.event import PARTITIONS, Event
from shared.contracts.registry import event_classes

EXCHANGE = "greenroom.events"

Json = dict[str, Any]


def asyncapi_document() -> Json:
    """The document, the same for the same release: a channel, a message and an operation per event."""
    events = event_classes()
    payloads, schemas = _payloads(list(events.values()))
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Greenroom events",
            "version": "1",
            "description": (
                "CloudEvents 1.0 in binary mode over a durable topic exchange. An event may arrive twice. "
                "A field may be added to an event, so unknown fields are to be ignored; any other change "
                "is a new version beside the old one."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(name) for name in events},
        "operations": {f"publish.{name}": _operation(name) for name in events},
        "components": {
            "messages": {name: _message(event, payloads[name]) for name, event in events.items()},
            "messageTraits": {"cloudevent": {"headers": _cloudevent_headers()}},
            "schemas": schemas,
        },
    }


def _payloads(events: list[type[Event]]) -> tuple[dict[str, Json], Json]:
    """The payload schema of each event by its name, and the schemas that they refer to."""
    refs, definitions = models_json_schema(
        [(event, "serialization") for event in events],
        ref_template="#/components/schemas/{model}",
    )
    schemas: Json = definitions.get("$defs", {})
    by_name = {event.name: refs[(event, "serialization")] for event in events}
    return by_name, dict(sorted(schemas.items()))


def _channel(name: str) -> Json:
    return {
        "address": f"{name}.{{partition}}",
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "parameters": {
            "partition": {
                "description": f"CRC-32 of the CloudEvents subject modulo {PARTITIONS}, in two digits.",
                "enum": [f"{number:02d}" for number in range(PARTITIONS)],
            }
        },
        "bindings": {
            "amqp": {"is": "routingKey", "exchange": {"name": EXCHANGE, "type": "topic", "durable": True}}
        },
    }


def _operation(name: str) -> Json:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "bindings": {"amqp": {"deliveryMode": 2, "mandatory": True}},
    }


def _message(event: type[Event], payload: Json) -> Json:
    message: Json = {
        "name": event.name,
        "title": event.__name__,
        "traits": [{"$ref": "#/components/messageTraits/cloudevent"}],
        "payload": payload,
    }
    summary = (event.__doc__ or "").strip()
    return {**message, "summary": " ".join(summary.split())} if summary else message


def _cloudevent_headers() -> Json:
    text: Json = {"type": "string"}
    return {
        "type": "object",
        "required": ["ce-specversion", "ce-id", "ce-source", "ce-type", "ce-time", "ce-subject"],
        "properties": {
            "ce-specversion": {"type": "string", "const": "1.0"},
            "ce-id": {**text, "description": "The event's id: the same when it arrives again."},
            "ce-source": {**text, "description": "The service that published it."},
            "ce-type": {**text, "description": "The event's name and version."},
            "ce-time": {"type": "string", "format": "date-time", "description": "When it happened, in UTC."},
            "ce-subject": {**text, "description": "The id of what it is about; decides the partition."},
            "ce-requestid": {**text, "description": "The request that caused it, if any."},
            "ce-operation": {**text, "description": "The operation that caused it directly, if any."},
            "ce-actor": {**text, "description": "Who called it: `user:<id>` or `key:<id>`."},
            "ce-traceparent": {**text, "description": "The trace it continues, if any (W3C Trace Context)."},
        },
    }
