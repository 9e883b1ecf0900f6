"""What is declared on the broker: one topic exchange, and of each group its queues and dead letters.

Queues are quorum queues. Dead-lettering at least once works only with a dead-letter exchange named and
with reject-publish; RabbitMQ accepts the wrong combinations silently. A target is declared before
what refers to it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractConnection

from shared.bus.ports import EXCHANGE, Group, OrderedGroup, dead_queue, retry_queues, working_queues
from shared.bus.rabbit_channels import open_channel
from shared.bus.rabbit_connection import reaching
from shared.bus.retry import RetryPolicy

# Redeliveries after which the broker gives a message up: the last resort against one that kills its
# consumer. Every lost connection counts one for all that was handed out, so it is generous.
DELIVERY_LIMIT = 200
# RabbitMQ 4 drops a message after 20 redeliveries if no limit is set, and each look counts as one.
DEAD_DELIVERY_LIMIT = 1_000_000_000
RETRY_QUEUE_LENGTH = 100_000
# A busy broker takes seconds for the hundreds of bindings of a group; a dead one is noticed by its heartbeat.
DECLARE_DEADLINE = 30.0

Arguments = dict[str, Any]


class Declarations:
    """A group is declared before it is first consumed, never merely in part: what its bindings miss is lost.

    The broker keeps declarations, so they are not repeated when it comes back: consumption goes on.
    """

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._done: set[str] = set()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def ensure(self, connection: AbstractConnection, group: Group | OrderedGroup) -> None:
        """Declare the group unless that was done. Raises Unavailable; it is not done then."""
        async with self._locks[group.name]:
            if group.name in self._done:
                return
            async with (
                open_channel(connection, DECLARE_DEADLINE) as channel,
                reaching(f"declaring {group.name}", DECLARE_DEADLINE),
            ):
                await _declare_group(channel, group, self._policy)
            self._done.add(group.name)

    def forget(self, group: Group | OrderedGroup) -> None:
        """The broker no longer knows it: somebody deleted a queue, or all of its data."""
        self._done.discard(group.name)


async def declare_exchange(channel: AbstractChannel) -> None:
    await channel.declare_exchange(EXCHANGE, ExchangeType.TOPIC, durable=True)


async def _declare_group(channel: AbstractChannel, group: Group | OrderedGroup, policy: RetryPolicy) -> None:
    """Declare all queues of the group and bind those it consumes; returns when the broker has done it all."""
    await declare_exchange(channel)
    dead: Arguments = {"x-queue-type": "quorum", "x-delivery-limit": DEAD_DELIVERY_LIMIT}
    await channel.declare_queue(dead_queue(group.name), durable=True, arguments=dead)
    for name, keys in working_queues(group).items():
        await channel.declare_queue(name, durable=True, arguments=_working(group))
        await _bind(channel, name, keys)
    for name, seconds in retry_queues(group, policy.delays).items():
        await channel.declare_queue(name, durable=True, arguments=_retry(group, seconds))
    await declare_exchange(channel)  # answered after all that went before on this channel


async def _bind(channel: AbstractChannel, queue: str, keys: Sequence[str]) -> None:
    """Without waiting for each: a group of many events has hundreds. A refused one closes the channel."""
    underlay = await channel.get_underlay_channel()
    for key in keys:
        await underlay.queue_bind(queue, EXCHANGE, key, nowait=True)


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


def _retry(group: Group | OrderedGroup, seconds: float) -> Arguments:
    return {
        **_dead_lettering(group.name),
        "x-message-ttl": int(seconds * 1000),
        "x-max-length": RETRY_QUEUE_LENGTH,
    }
