"""What only the real broker can do to us."""

import asyncio
import gc
import time

import aio_pika
import pytest
from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity, ChannelPreconditionFailed
from aio_pika.tools import OneShotCallback
from prometheus_client import REGISTRY

from shared.bus import Group, OrderedGroup
from shared.bus.base import BaseBus
from shared.bus.ports import EXCHANGE, dead_queue, partition_queue
from shared.bus.rabbit_channels import KeptChannel
from shared.bus.rabbit_connection import BrokerConnection
from shared.contracts.event import PARTITIONS
from shared.contracts.livekit_events import LiveKitRoomStarted
from shared.contracts.registry import event_classes
from shared.errors import Unavailable
from tests.contract.bus.brokers import RabbitFixture, dead_letters, eventually
from tests.contract.bus.events import Seen, sessions_in_other_partitions, started
from tests.contract.bus.test_loss import publish_surely

SHORT, LONG = 3.0, 20.0
PUBLISH_DEADLINE = 2.0
# Of one call to the broker (5 s), and below that of its heartbeat.
BEYOND_EVERY_DEADLINE = 7.0


async def refused_after(bus: BaseBus) -> float:
    """Seconds until publishing is refused."""
    began = time.monotonic()
    with pytest.raises(Unavailable):
        await bus.publish(started("refused"))
    return time.monotonic() - began


@pytest.mark.parametrize("seconds", [SHORT, pytest.param(LONG, id="beyond the heartbeat")])
async def test_a_frozen_broker_is_noticed_and_forgiven(rabbit_broker: RabbitFixture, seconds: float) -> None:
    bus, consumer, seen, ordered = await rabbit_broker.bus(), await rabbit_broker.bus(), Seen(), Seen()
    await rabbit_broker.subscribe(
        consumer, Group(rabbit_broker.name("loose"), {LiveKitRoomStarted: seen.one})
    )
    group = OrderedGroup(rabbit_broker.name("ordered"), (LiveKitRoomStarted,), ordered.batch)
    await rabbit_broker.subscribe(consumer, group)
    running = asyncio.create_task(consumer.run())
    await bus.publish(started(1))
    rabbit_broker.node.freeze()
    try:
        until = time.monotonic() + seconds
        waits = [await refused_after(bus) for _ in range(20)]
        assert PUBLISH_DEADLINE - 0.2 < waits[0] < 2 * PUBLISH_DEADLINE
        assert sum(waits[1:]) < PUBLISH_DEADLINE, "later publishes fail at once"
        assert bus.state() is not None
        await asyncio.sleep(max(0.0, until - time.monotonic()))
        assert await refused_after(bus) < PUBLISH_DEADLINE - 0.2
    finally:
        rabbit_broker.node.thaw()
    await eventually(lambda: bus.state() is None and consumer.state() is None)
    await publish_surely(bus, started(2))
    await eventually(lambda: "2" in seen.sids and "2" in ordered.sids)
    assert not running.done()
    await consumer.close()
    await running


async def test_a_group_is_declared_whole_though_the_broker_froze_in_the_middle(
    rabbit_broker: RabbitFixture,
) -> None:
    """Queues whose bindings are missing would be consumed as if all were well, and get nothing."""
    bus, consumer, seen = await rabbit_broker.bus(), await rabbit_broker.bus(), Seen()
    others = (event for event in event_classes().values() if event is not LiveKitRoomStarted)
    group = OrderedGroup(rabbit_broker.name("halved"), (*others, LiveKitRoomStarted), seen.batch)
    subscribing = asyncio.create_task(rabbit_broker.subscribe(consumer, group))
    await rabbit_broker.there(partition_queue(group.name, PARTITIONS - 1))
    rabbit_broker.node.freeze()
    await asyncio.sleep(BEYOND_EVERY_DEADLINE)
    rabbit_broker.node.thaw()
    await subscribing
    await eventually(lambda: consumer.state() is None and bus.state() is None)
    sessions = sessions_in_other_partitions(PARTITIONS)
    for number, session in enumerate(sessions):
        await publish_surely(bus, started(number, session))
    await eventually(lambda: {int(sid) for sid in seen.sids} == set(range(PARTITIONS)))


async def test_a_deleted_queue_is_declared_again_with_its_bindings(rabbit_broker: RabbitFixture) -> None:
    bus, consumer, seen = await rabbit_broker.bus(), await rabbit_broker.bus(), Seen()
    group = Group(rabbit_broker.name("deleted"), {LiveKitRoomStarted: seen.one})
    await rabbit_broker.subscribe(consumer, group)
    await rabbit_broker.delete(group.name)
    await eventually(lambda: consumer.state() is not None)
    await eventually(lambda: consumer.state() is None)
    await publish_surely(bus, started(1))
    await eventually(lambda: seen.sids == ["1"])


async def test_a_frozen_broker_holds_up_many_publishes_no_longer_than_one(
    rabbit_broker: RabbitFixture,
) -> None:
    bus = await rabbit_broker.bus()
    await bus.publish(started(1))
    rabbit_broker.node.freeze()
    try:
        began = time.monotonic()
        results = await asyncio.gather(
            *(bus.publish(started(number)) for number in range(2000)), return_exceptions=True
        )
        # One after the other they would take over an hour.
        assert time.monotonic() - began < 30 * PUBLISH_DEADLINE
        assert {type(result) for result in results} <= {Unavailable, *Unavailable.__subclasses__()}
    finally:
        rabbit_broker.node.thaw()
    await eventually(lambda: bus.state() is None)


async def test_closing_while_the_broker_is_frozen_takes_seconds_and_leaves_no_task(
    rabbit_broker: RabbitFixture,
) -> None:
    before = asyncio.all_tasks()
    bus = await rabbit_broker.bus()
    await rabbit_broker.subscribe(bus, Group(rabbit_broker.name("frozen"), {LiveKitRoomStarted: Seen().one}))
    await bus.publish(started(1))
    rabbit_broker.node.freeze()
    try:
        await asyncio.wait_for(bus.close(), 20)
    finally:
        rabbit_broker.node.thaw()
    await eventually(lambda: asyncio.all_tasks() <= before | {asyncio.current_task()})


async def test_a_deleted_queue_is_declared_again(rabbit_broker: RabbitFixture) -> None:
    """The broker then cancels the consumer, which without care would wait forever."""
    bus, seen = await rabbit_broker.bus(), Seen()
    group = Group(rabbit_broker.name("deleted"), {LiveKitRoomStarted: seen.one})
    await rabbit_broker.subscribe(bus, group)
    async with await aio_pika.connect(rabbit_broker.node.url) as connection:
        await (await connection.channel()).queue_delete(group.name)
    await eventually(lambda: bus.state() is not None)
    await eventually(lambda: bus.state() is None)
    await bus.publish(started(1))
    await eventually(lambda: seen.sids == ["1"])


async def test_a_deleted_exchange_is_declared_again(rabbit_broker: RabbitFixture) -> None:
    """Publishing to it closes the channel: one publish fails, then the link is made anew."""
    bus = await rabbit_broker.bus()
    async with await aio_pika.connect(rabbit_broker.node.url) as connection:
        await (await connection.channel()).exchange_delete("greenroom.events")
    await refused_after(bus)
    await publish_surely(bus, started(1))


async def test_a_queue_with_other_arguments_is_an_error_at_once(rabbit_broker: RabbitFixture) -> None:
    bus = await rabbit_broker.bus()
    name = rabbit_broker.name("classic")
    async with await aio_pika.connect(rabbit_broker.node.url) as connection:
        await (await connection.channel()).declare_queue(name, durable=True)
    with pytest.raises(ChannelPreconditionFailed):
        await rabbit_broker.subscribe(bus, Group(name, {LiveKitRoomStarted: Seen().one}))


async def test_what_kills_its_consumer_over_and_over_is_given_up_by_the_broker(
    rabbit_broker: RabbitFixture,
) -> None:
    """Dead-lettering at least once does nothing, silently, where one of its arguments is missing."""
    bus, seen = await rabbit_broker.bus(), Seen()
    group = OrderedGroup(rabbit_broker.name("deadly"), (LiveKitRoomStarted,), seen.batch)
    await rabbit_broker.subscribe(bus, group)
    await bus.stop_consuming()
    deadly = started(1)

    async def refuse(message: AbstractIncomingMessage) -> None:
        await message.nack(requeue=True)

    await bus.publish(deadly)
    queue_name = f"{group.name}.{deadly.partition:02d}"
    async with await aio_pika.connect(rabbit_broker.node.url) as connection:
        queue = await (await connection.channel()).declare_queue(queue_name, passive=True)
        await queue.consume(refuse)
        [letter] = await dead_letters(bus, group.name, 1)
    assert (letter.id, letter.queue, letter.reason) == (deadly.id, queue_name, "delivery_limit")
    assert await bus.replay(group.name) == 1
    await rabbit_broker.subscribe(await rabbit_broker.bus(), group)
    rabbit_broker.groups.pop()
    await eventually(lambda: seen.envelopes == [deadly])


async def test_dead_letters_are_counted(rabbit_broker: RabbitFixture) -> None:
    bus = await rabbit_broker.bus()

    async def handle(_: object) -> None:
        raise ValueError("never")

    group = Group(rabbit_broker.name("counted"), {LiveKitRoomStarted: handle})
    await rabbit_broker.subscribe(bus, group)
    await bus.publish(started(1))

    def value(metric: str) -> float | None:
        return REGISTRY.get_sample_value(metric, {"group": group.name})

    await eventually(lambda: value("greenroom_bus_dead_lettered_total") == 1)
    await bus.count_dead_letters()
    assert value("greenroom_bus_dead_letters") == 1


async def test_a_deleted_queue_of_dead_letters_is_there_again(rabbit_broker: RabbitFixture) -> None:
    bus = await rabbit_broker.bus()

    async def handle(_: object) -> None:
        raise ValueError("never")

    group = Group(rabbit_broker.name("bereft"), {LiveKitRoomStarted: handle})
    await rabbit_broker.subscribe(bus, group)
    async with await aio_pika.connect(rabbit_broker.node.url) as connection:
        await (await connection.channel()).queue_delete(dead_queue(group.name))
    await bus.count_dead_letters()
    await bus.publish(refused := started(1))
    [letter] = await dead_letters(bus, group.name, 1)
    assert letter.id == refused.id


def callbacks_in_memory() -> int:
    """Those that aio-pika has a connection call when it closes, one for each channel."""
    gc.collect()
    return sum(type(one) is OneShotCallback for one in gc.get_objects())


async def test_counting_again_and_again_takes_no_memory(rabbit_broker: RabbitFixture) -> None:
    """A connection never forgets a channel that was opened on it, though it was closed."""
    bus, seen = await rabbit_broker.bus(), Seen()
    await rabbit_broker.subscribe(bus, Group(rabbit_broker.name("one"), {LiveKitRoomStarted: seen.one}))
    ordered = OrderedGroup(rabbit_broker.name("other"), (LiveKitRoomStarted,), seen.batch)
    await rabbit_broker.subscribe(bus, ordered)
    await bus.count_dead_letters()
    await bus.count_ready()
    before = callbacks_in_memory()
    for _ in range(50):
        await bus.count_dead_letters()
        await bus.count_ready()
    assert callbacks_in_memory() <= before


async def test_a_kept_channel_is_opened_again_once_it_is_lost(rabbit_broker: RabbitFixture) -> None:
    connection = BrokerConnection(rabbit_broker.node.url, "tests")
    running = asyncio.create_task(connection.run())
    kept = KeptChannel(connection)

    async def used() -> AbstractChannel:
        async with kept.use() as channel:
            await channel.declare_exchange(EXCHANGE, ExchangeType.TOPIC, durable=True)
        return channel

    async def refused() -> None:
        with pytest.raises(ChannelNotFoundEntity):
            async with kept.use() as channel:
                await channel.declare_queue("there is no such queue", passive=True)

    first = await used()
    assert await used() is first
    _, beside, _ = await asyncio.gather(refused(), used(), refused())
    assert beside is not first, "the broker closes the channel of what it refuses"
    second = await used()
    connection.drop("for the test")
    assert await used() is not second
    running.cancel()
    await connection.close()
