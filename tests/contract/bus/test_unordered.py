"""Groups whose events are handled each on its own."""

import asyncio

import pytest
from pydantic import BaseModel

from shared.bus import Group
from shared.bus.codec import Message, encode
from shared.contracts.event import Envelope
from shared.contracts.livekit_events import LiveKitRoomFinished, LiveKitRoomStarted
from shared.errors import NotFound, Unavailable
from tests.contract.bus.brokers import BrokerFixture, dead_letters, eventually
from tests.contract.bus.events import Seen, finished, sid, started


async def test_every_group_gets_what_it_asks_for_and_nothing_else(broker: BrokerFixture) -> None:
    bus, other = await broker.bus(), await broker.bus()
    starts, ends, both = Seen(), Seen(), Seen()
    await broker.subscribe(bus, Group(broker.name("starts"), {LiveKitRoomStarted: starts.one}))
    await broker.subscribe(bus, Group(broker.name("ends"), {LiveKitRoomFinished: ends.one}))
    await broker.subscribe(
        other, Group(broker.name("both"), {LiveKitRoomStarted: both.one, LiveKitRoomFinished: both.one})
    )
    sent = [started(1), finished(2), started(3)]
    for envelope in sent:
        await bus.publish(envelope)
    await eventually(
        lambda: len(starts.envelopes) == 2 and len(ends.envelopes) == 1 and len(both.envelopes) == 3
    )
    assert sorted(starts.sids) == ["1", "3"]
    assert sorted(both.envelopes, key=lambda one: one.id) == sorted(sent, key=lambda one: one.id)


async def test_replicas_share_the_events_of_a_group(broker: BrokerFixture) -> None:
    first, second = Seen(), Seen()
    name = broker.name("shared")
    publisher = await broker.bus()
    await broker.subscribe(await broker.bus(), Group(name, {LiveKitRoomStarted: first.one}))
    await broker.subscribe(await broker.bus(), Group(name, {LiveKitRoomStarted: second.one}))
    broker.groups.pop()
    await asyncio.gather(*(publisher.publish(started(number)) for number in range(60)))
    await eventually(lambda: len(first.envelopes) + len(second.envelopes) == 60)
    assert {*first.sids, *second.sids} == {str(number) for number in range(60)}


async def test_handlers_of_a_group_run_at_the_same_time_up_to_its_concurrency(broker: BrokerFixture) -> None:
    bus = await broker.bus()
    running = most = done = 0

    async def handle(_: Envelope) -> None:
        nonlocal running, most, done
        running, most = running + 1, max(most, running + 1)
        await asyncio.sleep(0.02)
        running, done = running - 1, done + 1

    await broker.subscribe(bus, Group(broker.name("busy"), {LiveKitRoomStarted: handle}, concurrency=4))
    await asyncio.gather(*(bus.publish(started(number)) for number in range(20)))
    await eventually(lambda: done == 20)
    assert 2 <= most <= 4


async def test_a_failure_is_tried_again_later_and_then_is_forgotten(broker: BrokerFixture) -> None:
    bus = await broker.bus()
    seen = Seen()
    failures = iter([ValueError("first"), KeyError("second")])

    async def handle(envelope: Envelope) -> None:
        if sid(envelope) == "bad" and (error := next(failures, None)):
            raise error
        await seen.one(envelope)

    group = Group(broker.name("retried"), {LiveKitRoomStarted: handle})
    await broker.subscribe(bus, group)
    bad = started("bad")
    await bus.publish(bad)
    await bus.publish(started("good"))
    await eventually(lambda: len(seen.envelopes) == 2)
    assert seen.sids == ["good", "bad"]
    assert seen.envelopes[1] == bad
    assert await bus.dead_letters(group.name) == []


async def test_what_keeps_failing_is_dead_lettered_listed_and_replayed(broker: BrokerFixture) -> None:
    bus = await broker.bus()
    seen, neighbour, calls = Seen(), Seen(), 0
    healthy = False

    async def handle(envelope: Envelope) -> None:
        nonlocal calls
        calls += 1
        if not healthy:
            raise ValueError("amqp://user:secret@host/ is bad")
        await seen.one(envelope)

    group = Group(broker.name("dead"), {LiveKitRoomStarted: handle})
    await broker.subscribe(bus, group)
    await broker.subscribe(bus, Group(broker.name("neighbour"), {LiveKitRoomStarted: neighbour.one}))
    sent = [started(number) for number in range(3)]
    for envelope in sent:
        await bus.publish(envelope)
    await eventually(lambda: calls == 12)
    letters = await dead_letters(bus, group.name, 3)

    assert {letter.id for letter in letters} == {envelope.id for envelope in sent}
    assert {letter.attempts for letter in letters} == {4}
    assert {letter.reason for letter in letters} == {"ValueError: amqp://***@host/ is bad"}
    assert {(letter.event, letter.key) for letter in letters} == {("livekit_room.started.v1", "a-session")}
    assert all(
        letter.first_failed_at and letter.last_failed_at and letter.first_failed_at < letter.last_failed_at
        for letter in letters
    )

    healthy = True
    assert len(await dead_letters(bus, group.name, 3)) == 3, "looking takes nothing away"
    assert await bus.replay(group.name, [sent[1].id]) == 1
    await eventually(lambda: len(seen.envelopes) == 1)
    assert seen.envelopes == [sent[1]]
    await dead_letters(bus, group.name, 2)
    assert await bus.replay(group.name) == 2
    await eventually(lambda: len(seen.envelopes) == 3)
    assert await bus.dead_letters(group.name) == []
    assert len(neighbour.envelopes) == 3, "a replay reaches no other group"


async def test_a_group_that_never_was_has_no_dead_letters(broker: BrokerFixture) -> None:
    bus = await broker.bus()
    with pytest.raises(NotFound):
        await bus.dead_letters(broker.name("nobody"))


async def test_something_away_is_waited_for_and_is_no_attempt(broker: BrokerFixture) -> None:
    bus = await broker.bus()
    seen = Seen()
    refusals = 12

    async def handle(envelope: Envelope) -> None:
        nonlocal refusals
        refusals -= 1
        if refusals > 0:
            raise Unavailable("the database is away")
        await seen.one(envelope)

    group = Group(broker.name("waiting"), {LiveKitRoomStarted: handle})
    await broker.subscribe(bus, group)
    await bus.publish(started(1))
    await eventually(lambda: len(seen.envelopes) == 1)
    assert await bus.dead_letters(group.name) == []


async def test_a_cancellation_that_nobody_asked_for_is_a_failure_like_another(broker: BrokerFixture) -> None:
    bus = await broker.bus()
    seen = Seen()
    cancelled = False

    async def handle(envelope: Envelope) -> None:
        nonlocal cancelled
        if not cancelled:
            cancelled = True
            raise asyncio.CancelledError
        await seen.one(envelope)

    await broker.subscribe(bus, Group(broker.name("cancelled"), {LiveKitRoomStarted: handle}))
    await bus.publish(started(1))
    await eventually(lambda: len(seen.envelopes) == 1)
    assert bus.state() is None


async def test_an_event_of_another_release_is_passed_over(broker: BrokerFixture) -> None:
    bus = await broker.bus()
    seen = Seen()
    group = Group(broker.name("unknown"), {LiveKitRoomStarted: seen.one})
    await broker.subscribe(bus, group)
    known = encode(started(1))
    await broker.inject(
        "livekit_room.started.v1.00", Message({**known.headers, "ce-type": "livekit_room.started.v9"}, b"{}")
    )
    await bus.publish(started(2))
    await eventually(lambda: len(seen.envelopes) == 1)
    assert await bus.dead_letters(group.name) == []


async def test_unknown_fields_are_ignored(broker: BrokerFixture) -> None:
    bus = await broker.bus()
    seen = Seen()
    await broker.subscribe(bus, Group(broker.name("fields"), {LiveKitRoomStarted: seen.one}))
    envelope = started(1)
    message = encode(envelope)
    body = message.body.replace(b"{", b'{"of_a_later_release":{"a":[1]},', 1)
    await broker.inject(envelope.routing_key, Message({**message.headers, "ce-later": "x"}, body))
    await eventually(lambda: len(seen.envelopes) == 1)
    assert seen.envelopes == [envelope]


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        ({}, b'{"session_id":"s","room_sid":1}', "Malformed: ValidationError: occurred_at: missing"),
        ({}, b"\xff not json", "Malformed: ValidationError: body: json_invalid"),
        ({"ce-specversion": "0.3"}, b"{}", "Malformed: not a CloudEvent 1.0 in binary mode"),
        ({"ce-time": "yesterday"}, None, "Malformed: ce-time is no time"),
        ({"ce-id": ""}, None, "Malformed: header ce-id is missing"),
    ],
)
async def test_what_cannot_be_read_is_dead_lettered_at_once(
    broker: BrokerFixture, headers: dict[str, str | int], body: bytes | None, reason: str
) -> None:
    bus = await broker.bus()
    seen = Seen()
    group = Group(broker.name("malformed"), {LiveKitRoomStarted: seen.one})
    await broker.subscribe(bus, group)
    good = encode(started(1))
    await broker.inject(started(1).routing_key, Message({**good.headers, **headers}, body or good.body))
    await bus.publish(started(2))
    await eventually(lambda: seen.sids == ["2"])
    [letter] = await dead_letters(bus, group.name, 1)
    assert letter.reason.startswith(reason)
    assert letter.attempts == 1
    assert letter.body == (body or good.body)


async def test_a_validation_error_of_the_handler_is_not_tried_again(broker: BrokerFixture) -> None:
    class Strict(BaseModel):
        number: int

    bus = await broker.bus()
    calls = 0

    async def handle(envelope: Envelope) -> None:
        nonlocal calls
        calls += 1
        Strict.model_validate({"number": sid(envelope)})

    group = Group(broker.name("invalid"), {LiveKitRoomStarted: handle})
    await broker.subscribe(bus, group)
    await bus.publish(started("not a number"))
    [letter] = await dead_letters(bus, group.name, 1)
    assert calls == 1
    assert "not a number" not in letter.reason


async def test_an_event_that_nobody_wants_is_published_all_the_same(broker: BrokerFixture) -> None:
    await (await broker.bus()).publish(started(1))
