"""Groups whose events are handled in batches, in the order of each partition."""

import asyncio
from collections.abc import Sequence

from shared.bus import OrderedGroup, RetryPolicy
from shared.bus.codec import Message, encode
from shared.contracts.event import Envelope
from shared.contracts.livekit_events import LiveKitRoomFinished, LiveKitRoomStarted
from shared.errors import Unavailable
from tests.contract.bus.brokers import QUICK, BrokerFixture, dead_letters, eventually, with_changes
from tests.contract.bus.events import Seen, finished, sessions_in_other_partitions, sid, started

EVENTS = (LiveKitRoomStarted, LiveKitRoomFinished)


class Gate(Seen):
    """Holds the first batch back until it is opened, so that what follows makes one batch."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = asyncio.Event()
        self.entered = asyncio.Event()

    async def batch(self, envelopes: Sequence[Envelope]) -> None:
        self.entered.set()
        await self.opened.wait()
        await super().batch(envelopes)


async def test_a_partition_keeps_its_order_and_a_batch_holds_one_partition(broker: BrokerFixture) -> None:
    bus, seen = await broker.bus(), Seen()
    await broker.subscribe(bus, OrderedGroup(broker.name("order"), EVENTS, seen.batch))
    sessions = sessions_in_other_partitions(4)
    for number in range(50):
        for session in sessions:
            make = started if number % 2 else finished
            await bus.publish(make(f"{session}/{number}", session))
    await eventually(lambda: len(seen.envelopes) == 200)
    for session in sessions:
        mine = [one for one in seen.sids if one.startswith(f"{session}/")]
        assert mine == [f"{session}/{number}" for number in range(50)]
    assert all(len({one.split("/")[0] for one in batch}) == 1 for batch in seen.batches)


async def test_what_comes_in_meanwhile_is_one_batch_of_limited_size(broker: BrokerFixture) -> None:
    bus, gate = await broker.bus(), Gate()
    await broker.subscribe(bus, OrderedGroup(broker.name("batch"), EVENTS, gate.batch, batch_size=20))
    await bus.publish(started("first"))
    await gate.entered.wait()
    for number in range(30):
        await bus.publish(started(number))
    gate.opened.set()
    await eventually(lambda: len(gate.envelopes) == 31)
    assert gate.sids == ["first", *map(str, range(30))]
    assert max(map(len, gate.batches)) >= 10
    assert max(map(len, gate.batches)) <= 20


async def test_one_partition_does_not_wait_for_another(broker: BrokerFixture) -> None:
    bus, seen = await broker.bus(), Seen()
    slow, quick = sessions_in_other_partitions(2)
    stuck = asyncio.Event()

    async def handle(envelopes: Sequence[Envelope]) -> None:
        if envelopes[0].event.key == slow:
            await stuck.wait()
        await seen.batch(envelopes)

    await broker.subscribe(bus, OrderedGroup(broker.name("apart"), EVENTS, handle))
    await bus.publish(started("slow", slow))
    await bus.publish(started("quick", quick))
    await eventually(lambda: seen.sids == ["quick"])
    stuck.set()
    await eventually(lambda: seen.sids == ["quick", "slow"])


async def test_what_was_handled_does_not_come_again(broker: BrokerFixture) -> None:
    bus, seen, again = await broker.bus(), Seen(), Seen()
    name = broker.name("acknowledged")
    await broker.subscribe(bus, OrderedGroup(name, EVENTS, seen.batch))
    for number in range(20):
        await bus.publish(started(number))
    await eventually(lambda: len(seen.envelopes) == 20)
    await bus.stop_consuming()

    other = await broker.bus()
    await other.publish(started("later"))
    await broker.subscribe(other, OrderedGroup(name, EVENTS, again.batch))
    broker.groups.pop()
    await eventually(lambda: again.sids == ["later"])


async def test_only_one_of_two_consumes_and_the_other_takes_over_in_order(broker: BrokerFixture) -> None:
    hasty: RetryPolicy = with_changes(QUICK, stop_deadline=0.05)
    name = broker.name("takeover")
    gate, second = Gate(), Seen()
    publisher, first_bus, second_bus = await broker.bus(), await broker.bus(hasty), await broker.bus()
    await broker.subscribe(first_bus, OrderedGroup(name, EVENTS, gate.batch, batch_size=5))
    await broker.subscribe(second_bus, OrderedGroup(name, EVENTS, second.batch))
    broker.groups.pop()
    for number in range(40):
        await publisher.publish(started(number))
    await gate.entered.wait()
    assert second.sids == []
    await first_bus.close()
    await eventually(lambda: len(second.envelopes) == 40)
    assert second.sids == [str(number) for number in range(40)]
    assert gate.sids == []


async def test_a_failed_batch_is_tried_again_in_place(broker: BrokerFixture) -> None:
    bus, seen = await broker.bus(), Seen()
    failures = 2

    async def handle(envelopes: Sequence[Envelope]) -> None:
        nonlocal failures
        if sid(envelopes[0]) == "1" and failures:
            failures -= 1
            raise ValueError("not yet")
        await seen.batch(envelopes)

    group = OrderedGroup(broker.name("retried"), EVENTS, handle)
    await broker.subscribe(bus, group)
    for number in range(5):
        await bus.publish(started(number))
    await eventually(lambda: len(seen.envelopes) == 5)
    assert seen.sids == ["0", "1", "2", "3", "4"]
    assert await bus.dead_letters(group.name) == []


async def test_the_poison_of_a_batch_is_found_and_nothing_overtakes(broker: BrokerFixture) -> None:
    bus, seen, gate = await broker.bus(), Seen(), asyncio.Event()
    healthy = False

    async def handle(envelopes: Sequence[Envelope]) -> None:
        await gate.wait()
        if not healthy and any(sid(one).startswith("poison") for one in envelopes):
            raise ValueError("poison")
        await seen.batch(envelopes)

    group = OrderedGroup(broker.name("poison"), EVENTS, handle)
    await broker.subscribe(bus, group)
    names = [f"poison-{number}" if number in {7, 8, 21} else str(number) for number in range(32)]
    for name in names:
        await bus.publish(started(name))
    gate.set()
    letters = await dead_letters(bus, group.name, 3)
    await eventually(lambda: len(seen.envelopes) == 29)
    assert seen.sids == [name for name in names if not name.startswith("poison")]
    assert {letter.reason for letter in letters} == {"ValueError: poison"}

    healthy = True
    assert await bus.replay(group.name) == 3
    await eventually(lambda: len(seen.envelopes) == 32)
    assert sorted(seen.sids[29:]) == ["poison-21", "poison-7", "poison-8"]


async def test_something_away_stops_its_partition_and_is_no_attempt(broker: BrokerFixture) -> None:
    bus, seen = await broker.bus(), Seen()
    refusals = 12

    async def handle(envelopes: Sequence[Envelope]) -> None:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise Unavailable("the database is away")
        await seen.batch(envelopes)

    group = OrderedGroup(broker.name("waiting"), EVENTS, handle)
    await broker.subscribe(bus, group)
    for number in range(10):
        await bus.publish(started(number))
    await eventually(lambda: len(seen.envelopes) == 10)
    assert seen.sids == [str(number) for number in range(10)]
    assert await bus.dead_letters(group.name) == []


async def test_held_too_long_goes_back_and_comes_again_in_order(broker: BrokerFixture) -> None:
    bus, seen = await broker.bus(with_changes(QUICK, hold=0.1)), Seen()
    loop = asyncio.get_running_loop()
    back_at = loop.time() + 1.0

    async def handle(envelopes: Sequence[Envelope]) -> None:
        if loop.time() < back_at:
            raise Unavailable("the database is away")
        await seen.batch(envelopes)

    group = OrderedGroup(broker.name("held"), EVENTS, handle, batch_size=3)
    await broker.subscribe(bus, group)
    for number in range(10):
        await bus.publish(started(number))
    await eventually(lambda: len(seen.envelopes) == 10)
    assert seen.sids == [str(number) for number in range(10)]
    assert await bus.dead_letters(group.name) == []


async def test_what_cannot_be_read_or_is_not_known_does_not_hold_up_the_rest(broker: BrokerFixture) -> None:
    bus, seen, gate = await broker.bus(), Seen(), asyncio.Event()

    async def handle(envelopes: Sequence[Envelope]) -> None:
        await gate.wait()
        await seen.batch(envelopes)

    group = OrderedGroup(broker.name("mixed"), EVENTS, handle)
    await broker.subscribe(bus, group)
    await bus.publish(started(1))
    good = started(2)
    message = encode(good)
    await broker.inject(good.routing_key, Message(message.headers, b"{}"))
    await broker.inject(good.routing_key, Message({**message.headers, "ce-type": "nothing.known.v1"}, b"{}"))
    await bus.publish(started(3))
    gate.set()
    await eventually(lambda: seen.sids == ["1", "3"])
    [letter] = await dead_letters(bus, group.name, 1)
    assert letter.id == good.id
    assert letter.reason.startswith("Malformed: ValidationError: session_id: missing")
