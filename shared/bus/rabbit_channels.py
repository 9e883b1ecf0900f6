"""Channels on a connection to the broker: one for a single use, and one that is kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection

from shared.bus.rabbit_connection import DEADLINE, BrokerConnection, reaching
from shared.errors import Unavailable

log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_channel(
    connection: AbstractConnection, deadline: float = DEADLINE
) -> AsyncIterator[AbstractChannel]:
    """A channel, open within `deadline` seconds and closed afterwards. Raises Unavailable."""
    channel = connection.channel(publisher_confirms=False)
    try:
        async with reaching("opening a channel", deadline):
            await channel.initialize()
        yield channel
    finally:
        await close_channel(channel)


async def close_channel(channel: AbstractChannel) -> None:
    """Close it; if that fails its connection is lost, and the channel with it."""
    if channel.is_closed:
        return
    try:
        async with reaching("closing a channel"):
            await channel.close()
    except Unavailable as error:
        log.info("bus.channel_lost", reason=error.message)


class KeptChannel:
    """A channel for what is asked again and again: opened by the first use, and again once it is lost.

    With aio-pika a connection never forgets a channel that was opened on it, though it was closed.
    """

    def __init__(self, connection: BrokerConnection) -> None:
        self._broker = connection
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[AbstractChannel]:
        """The channel, for one at a time, and not after a failure: that may have closed it.

        Raises Unavailable.
        """
        async with self._lock:
            try:
                yield await self._opened()
            except BaseException:
                await self._give_up()
                raise

    async def _opened(self) -> AbstractChannel:
        connection = await self._broker.get()
        if self._channel is None or self._channel.is_closed or connection is not self._connection:
            self._channel, self._connection = connection.channel(publisher_confirms=False), connection
            async with reaching("opening a channel"):
                await self._channel.initialize()
        return self._channel

    async def _give_up(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            await close_channel(channel)
