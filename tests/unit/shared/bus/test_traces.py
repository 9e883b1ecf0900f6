"""Events carry the trace that caused them, and whoever handles them continues it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.bus import Group, OrderedGroup
from shared.bus.codec import decode, encode
from shared.contracts.event import Envelope
from shared.contracts.livekit_events import LiveKitRoomStarted
from shared.persistence.outbox import Outbox, entries
from shared.runtime import tracing
from shared.runtime.log import bind_session
from tests.contract.bus.events import AT, started
from tests.fakes.fake_clock import FakeClock
from tests.fakes.memory_bus import MemoryBus
from tests.fakes.memory_mongo import memory_mongo
from tests.fakes.recorded_spans import id_of, links_of, parent_of, recorded_spans, trace_of, traceparent

A, B = "a" * 32, "b" * 32


def test_the_trace_travels_as_cloudevents_extension_for_it() -> None:
    message = encode(replace(started(1), traceparent=traceparent("a")))
    assert message.headers["ce-traceparent"] == traceparent("a")
    assert decode(message.headers, message.body).traceparent == traceparent("a")


def test_events_of_a_release_without_traces_are_read_and_written_as_they_were() -> None:
    message = encode(started(1))
    assert "ce-traceparent" not in message.headers
    assert decode(message.headers, message.body).traceparent is None


def test_what_is_stored_outside_of_a_trace_is_stored_as_before() -> None:
    [entry] = entries([started(1).event], AT)
    assert "traceparent" not in entry


@pytest.mark.parametrize("traced", [True, False])
async def test_an_event_is_sent_in_the_trace_that_it_was_stored_in(traced: bool) -> None:
    """Also by a relay that is not traced itself: it passes on what it finds."""
    bus, mongo = MemoryBus(), memory_mongo()
    outbox = Outbox(bus, FakeClock(), source="/greenroom/tests")
    source = outbox.attach(mongo.collection("things"))
    with recorded_spans(), tracing.span("request"):
        stored = entries([started(1).event], AT)
        here = tracing.traceparent()
    document = {"_id": "a-thing", "version": 1, "outbox": stored, "outbox_at": AT}
    await source.collection.insert(document)
    with recorded_spans() as recorded:
        if not traced:
            tracing.use(None)
        await outbox.publish_once()
        [sent] = bus.published
        assert here is not None
        assert sent.traceparent is not None
        assert sent.traceparent[:36] == here[:36]
        assert (sent.traceparent == here) is not traced
        assert [span.name for span in recorded.all] == ["send livekit_room.started.v1"] * traced


async def test_what_a_release_without_traces_left_in_the_outbox_is_sent() -> None:
    bus, mongo = MemoryBus(), memory_mongo()
    outbox = Outbox(bus, FakeClock(), source="/greenroom/tests")
    source = outbox.attach(mongo.collection("things"))
    old = {name: value for name, value in entries([started(1).event], AT)[0].items() if name != "actor"}
    await source.collection.insert({"_id": "a-thing", "version": 1, "outbox": [old], "outbox_at": AT})
    with recorded_spans():
        await outbox.publish_once()
    [sent] = bus.published
    assert sent.traceparent is not None
    assert sent.actor is None


async def handled(group: Group | OrderedGroup, *envelopes: Envelope) -> None:
    bus = MemoryBus()
    await bus.subscribe(group)
    # At once, so that they are one batch.
    await asyncio.gather(*(bus.publish(envelope) for envelope in envelopes))
    await bus.settle()
    await bus.stop_consuming()


async def test_a_handler_continues_the_trace_of_its_event() -> None:
    async def handle(envelope: Envelope) -> None:
        bind_session(organization_id="an-organization")
        with tracing.child("write"):
            pass

    with recorded_spans() as recorded:
        event = replace(started(1), traceparent=traceparent("a"))
        await handled(Group("a.group", {LiveKitRoomStarted: handle}), event)
        write, process = recorded.all
    assert process.name == "process livekit_room.started.v1 by a.group"
    assert [trace_of(write), trace_of(process)] == [A, A]
    assert parent_of(write) == id_of(process)
    assert process.attributes is not None
    assert process.attributes["messaging.consumer.group.name"] == "a.group"
    assert process.attributes["greenroom.session_id"] == "a-session"
    assert process.attributes["greenroom.organization_id"] == "an-organization"


async def test_each_try_is_a_step_and_the_failed_one_says_so() -> None:
    tries: list[Envelope] = []

    async def handle(envelope: Envelope) -> None:
        tries.append(envelope)
        if len(tries) == 1:
            raise ValueError("a secret")

    with recorded_spans() as recorded:
        event = replace(started(1), traceparent=traceparent("a"))
        await handled(Group("a.group", {LiveKitRoomStarted: handle}), event)
        failed, done = recorded.all
    assert [trace_of(failed), trace_of(done)] == [A, A]
    assert (failed.status.is_ok, failed.status.is_unset, done.status.is_unset) == (False, False, True)
    assert "secret" not in failed.to_json()


async def test_a_batch_is_a_step_of_the_trace_of_each_of_its_events() -> None:
    batches: list[int] = []

    async def handle(envelopes: Sequence[Envelope]) -> None:
        batches.append(len(envelopes))

    with recorded_spans() as recorded:
        events = [replace(started(number), traceparent=traceparent("ab"[number])) for number in (0, 1)]
        await handled(OrderedGroup("a.group", (LiveKitRoomStarted,), handle), *events)
        spans = recorded.all
    assert batches == [2]
    assert sorted(trace_of(span) for span in spans) == [A, B]
    assert sorted(links_of(span) for span in spans) == [[A], [B]]
