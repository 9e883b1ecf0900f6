"""One connection to the broker, made again whenever it is lost, and the client's errors as `Unavailable`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import structlog
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, PublishError

from shared.errors import Unavailable
from shared.runtime.backoff import Backoff
from shared.runtime.log import describe
from shared.runtime.tasks import cancelled_by_us, wait_at_most

log = structlog.get_logger(__name__)

DEADLINE = 5.0
HEARTBEAT = 5

# RuntimeError is among them: aio-pika raises it, and ChannelInvalidStateError, on what is already closed.
LOST: tuple[type[BaseException], ...] = CONNECTION_EXCEPTIONS

Setup = Callable[[AbstractConnection], Awaitable[None]]


class NoAnswer(Unavailable):
    """The broker did not answer within the deadline."""


class Unroutable(Exception):
    """The broker took a message that no queue wants."""


@asynccontextmanager
async def reaching(what: str, deadline: float = DEADLINE) -> AsyncIterator[None]:
    """Do `what` with the broker within `deadline` seconds. Raises Unavailable, NoAnswer past the deadline.

    A connection that dies ends its waiters with a bare CancelledError or Exception; one that nobody of
    ours asked for is that and no more.
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
    except Exception as error:
        # A connection that closes while something is asked ends that with an Exception of no kind, too.
        if type(error) is not Exception:
            raise
        raise Unavailable(f"{what}: the connection to the broker was lost") from error


class BrokerConnection:
    """Up when connected and set up. When down it refuses immediately: it is its users' circuit breaker."""

    def __init__(self, url: str, name: str, setup: Setup | None = None) -> None:
        self._url = url
        self._name = name
        self._setup = setup
        self._backoff = Backoff(0.25, 0.5)
        self._connection: AbstractConnection | None = None
        self._problem: str | None = "not connected yet"
        self._up = asyncio.Event()
        self._lost = asyncio.Event()
        self._closings: set[asyncio.Task[None]] = set()

    def state(self) -> str | None:
        """None when up, else why not."""
        return self._problem

    async def run(self) -> None:
        """Connect and reconnect until cancelled."""
        failures = 0
        while True:
            try:
                await self._connect()
            except Unavailable as error:
                self._problem = error.message
                if self._backoff.is_news(failures):
                    log.warning(
                        "bus.connect_failed",
                        connection=self._name,
                        reason=error.message,
                        failures=failures + 1,
                    )
                await asyncio.sleep(self._backoff.delay(failures))
                failures += 1
                continue
            failures = 0
            log.info("bus.connected", connection=self._name)
            await self._lost.wait()
            log.warning("bus.disconnected", connection=self._name, reason=self._problem)

    async def _connect(self) -> None:
        self._lost.clear()
        async with reaching("connecting"):
            connection = await aio_pika.connect(self._url, heartbeat=HEARTBEAT, name=self._name)
        self._connection = connection
        connection.close_callbacks.add(self._on_close)
        if self._setup is not None:
            try:
                async with reaching("setting up"):
                    await self._setup(connection)
            except Unavailable:
                self.drop("setting up failed")
                raise
        if connection is self._connection:
            self._problem = None
            self._up.set()

    def _on_close(self, connection: Any, error: BaseException | None) -> None:
        if connection is self._connection:
            self.drop(f"the connection closed: {type(error).__name__}")

    def drop(self, reason: str) -> None:
        """Give the connection up; `run` makes another."""
        self._problem = reason
        self._up.clear()
        self._lost.set()
        connection, self._connection = self._connection, None
        if connection is not None:
            closing = asyncio.create_task(connection.close())
            self._closings.add(closing)
            closing.add_done_callback(self._closed)

    def _closed(self, closing: asyncio.Task[None]) -> None:
        self._closings.discard(closing)
        if not closing.cancelled() and (error := closing.exception()) is not None:
            log.info("bus.close_failed", connection=self._name, error=repr(error))

    async def get(self, deadline: float = DEADLINE) -> AbstractConnection:
        """The connection, waited for. Raises Unavailable if it is not up within `deadline` seconds."""
        if not await wait_at_most(self._up, deadline) or self._connection is None:
            raise Unavailable(f"the broker is away: {self._problem}")
        return self._connection

    async def close(self) -> None:
        """Close what is open, for at most 5 s: a frozen broker answers no good-bye."""
        self.drop("closed")
        if self._closings:
            await asyncio.wait(self._closings, timeout=DEADLINE)
        for closing in self._closings:
            closing.cancel()
