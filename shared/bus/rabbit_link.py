"""One connection to the broker, made again whenever it is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aio_pika
import structlog
from aio_pika.abc import AbstractConnection

from shared.bus.rabbit_errors import reaching
from shared.errors import Unavailable
from shared.runtime.backoff import Backoff
from shared.runtime.tasks import wait_at_most

log = structlog.get_logger(__name__)

CONNECT_DEADLINE = 5.0
HEARTBEAT = 5
CLOSE_DEADLINE = 5.0

Setup = Callable[[AbstractConnection], Awaitable[None]]


async def nothing(_: AbstractConnection) -> None:
    """The setup of a link on which nothing has to be there beforehand."""


class Link:
    """Up when connected and set up. A link that is down refuses at once: it is its users' circuit breaker."""

    def __init__(self, url: str, name: str, setup: Setup = nothing) -> None:
        self._url = url
        self._name = name
        self._setup = setup
        self._backoff = Backoff(0.25, 0.5)
        self._connection: AbstractConnection | None = None
        self._trouble: str | None = "not connected yet"
        self._up = asyncio.Event()
        self._lost = asyncio.Event()
        self._closings: set[asyncio.Task[None]] = set()

    def state(self) -> str | None:
        """None when up, else why not."""
        return self._trouble

    async def run(self) -> None:
        """Connect and reconnect until cancelled."""
        failures = 0
        while True:
            try:
                await self._connect()
            except Unavailable as error:
                self._trouble = error.message
                if self._backoff.is_news(failures):
                    log.warning(
                        "bus.connect_failed", link=self._name, reason=error.message, failures=failures + 1
                    )
                await asyncio.sleep(self._backoff.delay(failures))
                failures += 1
                continue
            failures = 0
            log.info("bus.connected", link=self._name)
            await self._lost.wait()
            log.warning("bus.disconnected", link=self._name, reason=self._trouble)

    async def _connect(self) -> None:
        self._lost.clear()
        async with reaching("connecting", CONNECT_DEADLINE):
            connection = await aio_pika.connect(self._url, heartbeat=HEARTBEAT, name=self._name)
        self._connection = connection
        connection.close_callbacks.add(self._on_close)
        try:
            async with reaching("setting up", CONNECT_DEADLINE):
                await self._setup(connection)
        except Unavailable:
            self.drop("setting up failed")
            raise
        if connection is self._connection:
            self._trouble = None
            self._up.set()

    def _on_close(self, connection: Any, error: BaseException | None) -> None:
        if connection is self._connection:
            self.drop(f"the connection closed: {type(error).__name__}")

    def drop(self, reason: str) -> None:
        """Give the connection up; `run` makes another."""
        self._trouble = reason
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
            log.info("bus.close_failed", link=self._name, error=repr(error))

    async def connection(self, deadline: float) -> AbstractConnection:
        """The connection, waited for. Raises Unavailable where it is not up within `deadline` seconds."""
        if not await wait_at_most(self._up, deadline) or self._connection is None:
            raise Unavailable(f"the broker is away: {self._trouble}")
        return self._connection

    async def close(self) -> None:
        """Close what is open, for at most 5 s: a frozen broker answers no good-bye."""
        self.drop("closed")
        if self._closings:
            await asyncio.wait(self._closings, timeout=CLOSE_DEADLINE)
        for closing in self._closings:
            closing.cancel()
