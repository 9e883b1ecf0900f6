"""A bus ends when a part of it breaks, and says so."""

import asyncio

import pytest

from shared.bus import Group
from shared.bus.consumer import ConsumerChannel
from shared.contracts.livekit_events import LiveKitRoomStarted
from tests.contract.bus.events import Seen, started
from tests.fakes.memory_bus import MemoryBus


async def test_a_bus_whose_worker_breaks_says_so_and_ends() -> None:
    class Broken(MemoryBus):
        async def _open(self, *_: object) -> ConsumerChannel:
            raise KeyError("a bug")

    bus = Broken()
    running = asyncio.create_task(bus.run())
    subscribing = asyncio.create_task(bus.subscribe(Group("g", {LiveKitRoomStarted: Seen().one})))
    with pytest.raises(KeyError):
        await asyncio.wait_for(running, 1)
    assert bus.state() == "the bus died: KeyError: 'a bug'"
    subscribing.cancel()
    await bus.close()


async def test_the_memory_bus_duplicates_when_asked_to() -> None:
    bus, seen = MemoryBus(duplicate=True), Seen()
    await bus.subscribe(Group("g", {LiveKitRoomStarted: seen.one}))
    await bus.publish(started(1))
    await bus.settle()
    assert seen.sids == ["1", "1"]
    assert len(bus.published) == 1
    await bus.close()
