"""Our mapping is that of the CloudEvents project's own library."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cloudevents.core.bindings.rabbitmq import RabbitMQMessage, from_binary_event, to_binary_event
from cloudevents.core.v1.event import CloudEvent

from shared.bus.codec import CONTENT_TYPE, decode, encode
from tests.contract.events.test_samples import holds

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_library_reads_what_we_write(path: Path) -> None:
    sample = json.loads(path.read_text())
    envelope = decode(sample["headers"], json.dumps(sample["data"]).encode())
    message = encode(envelope)
    headers = {name: str(value) for name, value in message.headers.items()}
    event = from_binary_event(RabbitMQMessage(headers, CONTENT_TYPE, message.body))
    assert event.get_id() == envelope.id
    assert event.get_source() == envelope.source
    assert event.get_type() == envelope.event.name
    assert event.get_time() == envelope.time
    assert event.get_subject() == envelope.event.key
    assert event.get_extension("requestid") == envelope.request_id
    data = event.get_data()
    assert isinstance(data, dict)
    assert holds(data, sample["data"]), "fields that were added since have their defaults"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_we_read_what_the_library_writes(path: Path) -> None:
    sample = json.loads(path.read_text())
    attributes = {name.removeprefix("ce-"): value for name, value in sample["headers"].items()}
    moment = datetime(2026, 11, 21, 18, 31, 3, 250_000, tzinfo=UTC)
    written = to_binary_event(
        CloudEvent({**attributes, "time": moment, "datacontenttype": CONTENT_TYPE}, sample["data"])
    )
    body = written.body if isinstance(written.body, bytes) else str(written.body).encode()
    envelope = decode(written.headers, body)
    assert envelope.time == moment
    assert envelope.id == attributes["id"]
    written_again = json.loads(encode(envelope).body)
    assert holds(written_again, sample["data"])
