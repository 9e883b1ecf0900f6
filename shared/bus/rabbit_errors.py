"""Everything that aio-pika raises when the broker is away, as one `Unavailable`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, PublishError

from shared.bus.reasons import describe
from shared.errors import Unavailable
from shared.runtime.tasks import cancelled_by_us

log = structlog.get_logger(__name__)

DEADLINE = 5.0

# RuntimeError is among them: aio-pika raises it, and ChannelInvalidStateError, on what is already closed.
LOST: tuple[type[BaseException], ...] = CONNECTION_EXCEPTIONS


class NoAnswer(Unavailable):
    """The broker did not answer within the deadline."""


class Unroutable(Exception):
    """The broker took a message that no queue wants."""


@asynccontextmanager
async def reaching(what: str, deadline: float = DEADLINE) -> AsyncIterator[None]:
    """Do `what` with the broker within `deadline` seconds. Raises Unavailable, NoAnswer past the deadline.

    A connection that dies ends its waiters with a bare CancelledError; one that nobody of ours asked
    for is that and no more.
    """
    try:
        async with asyncio.timeout(deadline):
            yield
    except asyncio.CancelledError:
        if cancelled_by_us():
            raise
        raise Unavailable(f"{what}: the connection to the broker was lost") from None
    except TimeoutError as error:
        raise NoAnswer(f"{what}: the broker did not answer within {deadline:g} s") from error
    except PublishError as error:
        raise Unroutable from error
    except LOST as error:
        raise Unavailable(f"{what}: {describe(error)}") from error


async def close_channel(channel: AbstractChannel) -> None:
    """Close it; where that fails its connection is lost, and the channel with it."""
    if channel.is_closed:
        return
    try:
        async with reaching("closing a channel"):
            await channel.close()
    except Unavailable as error:
        log.info("bus.channel_lost", reason=error.message)
