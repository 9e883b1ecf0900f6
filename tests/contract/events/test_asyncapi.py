"""The AsyncAPI document."""

import json
from collections.abc import Iterator
from typing import Any

from shared.bus.ports import EXCHANGE
from shared.contracts.asyncapi import asyncapi_document
from shared.contracts.event import PARTITIONS
from shared.contracts.registry import event_classes


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(target := node.get("$ref"), str):
            yield target
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_event_has_a_channel_a_message_and_an_operation() -> None:
    document = asyncapi_document()
    names = set(event_classes())
    assert document["asyncapi"] == "3.0.0"
    assert set(document["channels"]) == names
    assert set(document["components"]["messages"]) == names
    assert set(document["operations"]) == {f"publish.{name}" for name in names}


def test_every_reference_leads_somewhere() -> None:
    document = asyncapi_document()
    for reference in references(document):
        node: Any = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_the_partitions_are_listed() -> None:
    channel = asyncapi_document()["channels"]["session.ended.v1"]
    assert channel["address"] == "session.ended.v1.{partition}"
    assert channel["bindings"]["amqp"]["exchange"]["name"] == EXCHANGE
    assert channel["parameters"]["partition"]["enum"][-1] == f"{PARTITIONS - 1:02d}"


def test_it_is_the_same_each_time() -> None:
    assert json.dumps(asyncapi_document()) == json.dumps(asyncapi_document())
