"""Looking at dead letters, and putting them back."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import ChannelNotFoundEntity

from shared.bus.consumer import Delivery
from shared.bus.ports import DeadLetter, belongs, dead_queue
from shared.bus.rabbit_channels import KeptChannel, open_channel
from shared.bus.rabbit_connection import BrokerConnection, reaching
from shared.bus.rabbit_publisher import RabbitPublisher
from shared.bus.retry import original, read_dead_letter
from shared.errors import NotFound

GIVE_BACK_TRIES = 40
GIVE_BACK_PAUSE = 0.05


class RabbitDeadLetters:
    """Messages are fetched unacknowledged, and go back to the queue when the channel closes."""

    def __init__(
        self, connection: BrokerConnection, counting: KeptChannel, publisher: RabbitPublisher
    ) -> None:
        self._connection = connection
        self._counting = counting
        self._publisher = publisher

    async def count(self, group: str) -> int:
        """How many there are. Raises NotFound if no such group was ever declared, and Unavailable."""
        async with self._counting.use() as channel:
            queue = await _declared(channel, group)
            return queue.declaration_result.message_count or 0

    async def list(self, group: str, limit: int) -> list[DeadLetter]:
        async with self._queue(group) as queue:
            letters = [read_dead_letter(_delivery(message)) async for message in _fetch(queue, limit)]
        await self._given_back(group, len(letters))
        return letters

    async def replay(self, group: str, ids: Collection[str] | None) -> int:
        """Each is in the group's queue, confirmed, before it leaves the dead letters."""
        replayed = left = 0
        async with self._queue(group) as queue:
            async for message in _fetch(queue, None):
                letter = read_dead_letter(_delivery(message))
                if ids is None or letter.id in ids:
                    await self._put_back(group, letter, message)
                    replayed += 1
                else:
                    left += 1
        await self._given_back(group, left)
        return replayed

    async def _put_back(self, group: str, letter: DeadLetter, message: AbstractIncomingMessage) -> None:
        target = letter.queue if belongs(letter.queue, group) else group
        await self._publisher.send(target, original(_delivery(message)))
        async with reaching("acknowledging a dead letter"):
            await message.ack()

    async def _given_back(self, group: str, count: int) -> None:
        """Wait until the queue shows again what was only looked at, or another took it meanwhile."""
        waits = 0
        while count and waits < GIVE_BACK_TRIES and await self.count(group) < count:
            await asyncio.sleep(GIVE_BACK_PAUSE)
            waits += 1

    @asynccontextmanager
    async def _queue(self, group: str) -> AsyncIterator[AbstractQueue]:
        async with open_channel(await self._connection.get()) as channel:
            yield await _declared(channel, group)


async def _declared(channel: AbstractChannel, group: str) -> AbstractQueue:
    """The group's queue of dead letters. Raises NotFound, which closes the channel, and Unavailable."""
    async with reaching("looking for dead letters"):
        try:
            return await channel.declare_queue(dead_queue(group), passive=True)
        except ChannelNotFoundEntity as error:
            raise NotFound(f"there is no group {group}") from error


async def _fetch(queue: AbstractQueue, limit: int | None) -> AsyncIterator[AbstractIncomingMessage]:
    """What was there at the beginning, oldest first."""
    waiting = queue.declaration_result.message_count or 0
    for _ in range(waiting if limit is None else min(waiting, limit)):
        async with reaching("fetching dead letters"):
            message = await queue.get(fail=False)
        if message is None:
            return
        yield message


def _delivery(message: AbstractIncomingMessage) -> Delivery:
    return Delivery(message.delivery_tag or 0, "", message.headers, message.body)
