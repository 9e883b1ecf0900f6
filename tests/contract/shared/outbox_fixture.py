"""The relay on two grounds: everything in memory, and the real database with the real broker."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from shared.bus import Bus, OrderedGroup, Publisher
from shared.clock import SystemClock
from shared.contracts.attendance_events import ViewersCounted
from shared.contracts.event import Envelope
from shared.errors import Unavailable
from shared.ids import new_id
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from tests.contract.shared.example_aggregate import Things

DEADLINE = 60.0


class Gate:
    """A publisher between relay and bus: refuses while `shut`, stops before the `hold_at`-th event."""

    def __init__(self, bus: Publisher):
        self.shut = False
        self.hold_at: int | None = None
        self.holding = asyncio.Event()
        self.passed = 0
        self.refused = 0
        self._bus = bus

    async def publish(self, envelope: Envelope) -> None:
        if self.shut:
            self.refused += 1
            raise Unavailable("the gate is shut")
        if self.passed == self.hold_at:
            self.holding.set()
            await asyncio.Event().wait()
        self.passed += 1
        await self._bus.publish(envelope)


class OutboxFixture:
    """A database, a bus, and everything that came out of it so far."""

    def __init__(self, mongo: Mongo, bus: Bus):
        self.mongo = mongo
        self.bus = bus
        self.arrived: list[Envelope] = []

    async def listen(self) -> None:
        await self.bus.subscribe(
            OrderedGroup(f"tests.relay_{new_id()}", (ViewersCounted,), self._take, batch_size=50)
        )

    async def _take(self, envelopes: Sequence[Envelope]) -> None:
        self.arrived += envelopes

    async def relay(self, sweep: float = 0.2) -> tuple[Things, Outbox, Gate]:
        """A relay of its own over the one database, as another replica has it."""
        gate = Gate(self.bus)
        outbox = Outbox(gate, SystemClock(), source="/greenroom/tests", clear_every=0.05, sweep=sweep)
        things = Things(self.mongo, outbox, SystemClock())
        await things.ensure_indexes()
        return things, outbox, gate


@asynccontextmanager
async def running(*relays: Outbox) -> AsyncIterator[None]:
    """Let them relay for a while; one that ends by itself is a failure."""
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.01)


async def is_empty(things: Things) -> bool:
    """Whether nothing waits in any outbox of these."""
    return not await things.collection.find({"outbox_at": {"$exists": True}}, fields=["_id"])


async def emptied(things: Things) -> None:
    async with asyncio.timeout(DEADLINE):
        while not await is_empty(things):
            await asyncio.sleep(0.02)
