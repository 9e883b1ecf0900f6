"""What is declared on the broker: one topic exchange, and of each group its queues, lanes and dead letters.

Queues are quorum queues. Dead-lettering at least once works only with a dead-letter exchange named and
with reject-publish; RabbitMQ accepts the wrong combinations silently. A target is declared before
what refers to it.
"""

from collections.abc import Sequence
from typing import Any

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractExchange

from shared.bus.naming import EXCHANGE, broadcast_bindings, dead_queue, lanes, working_queues
from shared.bus.policy import RetryPolicy
from shared.bus.ports import Broadcast, Group, OrderedGroup
from shared.ids import new_id

# Redeliveries after which the broker gives a message up: the last resort against one that kills its
# consumer. Every lost connection counts one for all that was handed out, so it is generous.
DELIVERY_LIMIT = 200
# RabbitMQ 4 drops a message after 20 redeliveries where no limit is set, and each look counts as one.
DEAD_DELIVERY_LIMIT = 1_000_000_000
LANE_LENGTH = 100_000

Arguments = dict[str, Any]


async def declare_exchange(channel: AbstractChannel) -> AbstractExchange:
    return await channel.declare_exchange(EXCHANGE, ExchangeType.TOPIC, durable=True)


async def declare_group(channel: AbstractChannel, group: Group | OrderedGroup, policy: RetryPolicy) -> None:
    """Declare all queues of the group and bind those it consumes; returns when the broker has done it all."""
    await declare_exchange(channel)
    dead: Arguments = {"x-queue-type": "quorum", "x-delivery-limit": DEAD_DELIVERY_LIMIT}
    await channel.declare_queue(dead_queue(group.name), durable=True, arguments=dead)
    for name, bindings in working_queues(group).items():
        await channel.declare_queue(name, durable=True, arguments=_working(group))
        await _bind(channel, name, bindings)
    for name, seconds in lanes(group, policy):
        await channel.declare_queue(name, durable=True, arguments=_lane(group, seconds))
    await declare_exchange(channel)  # answered after all that went before on this channel


async def _bind(channel: AbstractChannel, queue: str, bindings: Sequence[str]) -> None:
    """Without waiting for each: a group of many events has hundreds. A refused one closes the channel."""
    underlay = await channel.get_underlay_channel()
    for binding in bindings:
        await underlay.queue_bind(queue, EXCHANGE, binding, nowait=True)


async def declare_broadcast(channel: AbstractChannel, broadcast: Broadcast) -> str:
    """Declare and bind a queue of this connection's own, in memory; its name."""
    exchange = await declare_exchange(channel)
    name = f"{broadcast.name}.{new_id()}"
    queue = await channel.declare_queue(name, durable=False, exclusive=True, auto_delete=True)
    for binding in broadcast_bindings(broadcast):
        await queue.bind(exchange, binding)
    return name


def _dead_lettering(target: str) -> Arguments:
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": target,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def _working(group: Group | OrderedGroup) -> Arguments:
    arguments = {**_dead_lettering(dead_queue(group.name)), "x-delivery-limit": DELIVERY_LIMIT}
    if isinstance(group, OrderedGroup):
        arguments["x-single-active-consumer"] = True
    return arguments


def _lane(group: Group | OrderedGroup, seconds: float) -> Arguments:
    return {
        **_dead_lettering(group.name),
        "x-message-ttl": int(seconds * 1000),
        "x-max-length": LANE_LENGTH,
    }
