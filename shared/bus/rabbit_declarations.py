"""What of the groups is declared: each once in the life of the process, whole, however long it takes."""

import asyncio
from collections import defaultdict

from aio_pika.abc import AbstractConnection

from shared.bus.policy import RetryPolicy
from shared.bus.ports import Group, OrderedGroup
from shared.bus.rabbit_errors import close_channel, reaching
from shared.bus.rabbit_topology import declare_group

# A busy broker takes seconds for the hundreds of bindings of a group; a dead one is noticed by its heartbeat.
DECLARE_DEADLINE = 30.0


class Declarations:
    """A group is declared before it is first consumed, never merely in part: what its bindings miss is lost.

    The broker keeps declarations, so they are not repeated when it comes back: consumption goes on at once.
    """

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._done: set[str] = set()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def ensure(self, connection: AbstractConnection, group: Group | OrderedGroup) -> None:
        """Declare the group unless that was done. Raises Unavailable; it is not done then."""
        async with self._locks[group.name]:
            if group.name not in self._done:
                await self._declare(connection, group)
                self._done.add(group.name)

    def forget(self, group: Group | OrderedGroup) -> None:
        """The broker does not know it any more: somebody deleted a queue, or all of its data."""
        self._done.discard(group.name)

    async def _declare(self, connection: AbstractConnection, group: Group | OrderedGroup) -> None:
        channel = connection.channel(publisher_confirms=False)
        try:
            async with reaching(f"declaring {group.name}", DECLARE_DEADLINE):
                await channel.initialize()
                await declare_group(channel, group, self._policy)
        finally:
            await close_channel(channel)
