"""The broker goes away and comes back; consumers stop and others go on."""

import asyncio

import pytest

from shared.bus import Group, OrderedGroup
from shared.bus.base import BaseBus
from shared.contracts.event import Envelope
from shared.contracts.livekit_events import LiveKitRoomStarted
from shared.errors import Unavailable
from tests.contract.bus.brokers import QUICK, BrokerFixture, eventually, with_changes
from tests.contract.bus.events import Seen, sid, started


async def publish_surely(bus: BaseBus, envelope: Envelope) -> None:
    """As the outbox does: again until it is confirmed."""
    while True:
        try:
            await bus.publish(envelope)
        except Unavailable:
            await asyncio.sleep(0.02)
        else:
            return


async def test_nothing_confirmed_is_lost_when_the_broker_is_killed_in_the_middle(
    broker: BrokerFixture,
) -> None:
    bus, consumer = await broker.bus(), await broker.bus()
    loose, ordered = Seen(), Seen()
    await broker.subscribe(consumer, Group(broker.name("loose"), {LiveKitRoomStarted: loose.one}))
    await broker.subscribe(
        consumer, OrderedGroup(broker.name("ordered"), (LiveKitRoomStarted,), ordered.batch)
    )

    confirmed: list[str] = []
    enough = asyncio.Event()

    async def publish_all() -> None:
        while not enough.is_set():
            envelope = started(len(confirmed))
            await publish_surely(bus, envelope)
            confirmed.append(sid(envelope))
            await asyncio.sleep(0)

    publishing = asyncio.create_task(publish_all())
    await eventually(lambda: len(ordered.envelopes) > 50)
    await broker.take_away()
    await eventually(lambda: bus.state() is not None and consumer.state() is not None)
    before = len(confirmed)
    with pytest.raises(Unavailable):
        await bus.publish(started("refused"))
    await broker.bring_back()
    await eventually(lambda: len(confirmed) >= before + 50)
    enough.set()
    await publishing

    await eventually(lambda: set(confirmed) <= set(loose.sids) and set(confirmed) <= set(ordered.sids))
    first_times = list(dict.fromkeys(one for one in ordered.sids if one != "refused"))
    assert first_times == confirmed
    await eventually(lambda: bus.state() is None and consumer.state() is None)


async def test_a_handler_outlives_the_connection_and_its_event_comes_again(broker: BrokerFixture) -> None:
    bus, seen = await broker.bus(), Seen()
    entered, leave = asyncio.Event(), asyncio.Event()

    async def handle(envelope: Envelope) -> None:
        entered.set()
        await leave.wait()
        await seen.one(envelope)

    await broker.subscribe(bus, Group(broker.name("outlived"), {LiveKitRoomStarted: handle}))
    await bus.publish(started(1))
    await entered.wait()
    await broker.take_away()
    leave.set()
    await eventually(lambda: seen.sids == ["1"])
    await broker.bring_back()
    await eventually(lambda: seen.sids == ["1", "1"])
    await publish_surely(bus, started(2))
    await eventually(lambda: seen.sids == ["1", "1", "2"])


async def test_a_bus_may_start_before_the_broker(broker: BrokerFixture) -> None:
    seen = Seen()
    await broker.take_away()
    bus = await broker.bus()
    subscribing = asyncio.create_task(
        broker.subscribe(bus, Group(broker.name("early"), {LiveKitRoomStarted: seen.one}))
    )
    await eventually(lambda: bus.state() is not None)
    await broker.bring_back()
    await subscribing
    await eventually(lambda: bus.state() is None)
    await bus.publish(started(1))
    await eventually(lambda: seen.sids == ["1"])


async def test_stopping_finishes_what_is_in_hand_and_leaves_the_rest_to_others(broker: BrokerFixture) -> None:
    bus, seen, others = await broker.bus(), Seen(), Seen()
    name = broker.name("stopped")
    entered, leave = asyncio.Event(), asyncio.Event()

    async def handle(envelope: Envelope) -> None:
        entered.set()
        await leave.wait()
        await seen.one(envelope)

    await broker.subscribe(bus, Group(name, {LiveKitRoomStarted: handle}, concurrency=2))
    for number in range(6):
        await bus.publish(started(number))
    await entered.wait()
    stopping = asyncio.create_task(bus.stop_consuming())
    await asyncio.sleep(0)
    leave.set()
    await stopping
    in_hand = len(seen.envelopes)
    assert 1 <= in_hand <= 2

    other = await broker.bus()
    await broker.subscribe(other, Group(name, {LiveKitRoomStarted: others.one}))
    broker.groups.pop()
    await eventually(lambda: len(others.envelopes) == 6 - in_hand)
    assert {*seen.sids, *others.sids} == {str(number) for number in range(6)}
    await bus.publish(started("still publishing"))


async def test_a_handler_that_does_not_finish_in_time_is_cancelled_and_its_event_comes_again(
    broker: BrokerFixture,
) -> None:
    bus = await broker.bus(with_changes(QUICK, stop_deadline=0.05))
    name = broker.name("hung")
    entered, cancelled, others = asyncio.Event(), asyncio.Event(), Seen()

    async def handle(_: Envelope) -> None:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    await broker.subscribe(bus, Group(name, {LiveKitRoomStarted: handle}))
    await bus.publish(started(1))
    await entered.wait()
    await bus.stop_consuming()
    assert cancelled.is_set()
    other = await broker.bus()
    await broker.subscribe(other, Group(name, {LiveKitRoomStarted: others.one}))
    broker.groups.pop()
    await eventually(lambda: others.sids == ["1"])


async def test_held_too_long_takes_the_longest_lane_without_counting(broker: BrokerFixture) -> None:
    bus, seen = await broker.bus(with_changes(QUICK, hold=0.05)), Seen()
    loop = asyncio.get_running_loop()
    back_at = loop.time() + 1.5

    async def handle(envelope: Envelope) -> None:
        if loop.time() < back_at:
            raise Unavailable("the database is away")
        await seen.one(envelope)

    group = Group(broker.name("held"), {LiveKitRoomStarted: handle})
    await broker.subscribe(bus, group)
    await bus.publish(started(1))
    await eventually(lambda: seen.sids == ["1"])
    assert await bus.dead_letters(group.name) == []


async def test_run_returns_after_close(broker: BrokerFixture) -> None:
    bus = await broker.bus()
    running = asyncio.create_task(bus.run())
    await broker.subscribe(bus, Group(broker.name("closed"), {LiveKitRoomStarted: Seen().one}))
    assert not running.done()
    await bus.close()
    await asyncio.wait_for(running, 5)
