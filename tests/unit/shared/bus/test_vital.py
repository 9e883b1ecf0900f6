"""Nothing of the bus dies unseen."""

import asyncio

import pytest

from shared.bus import Group
from shared.bus.intake import Intake
from shared.bus.vital import Vital
from shared.contracts.livekit_events import LiveKitRoomStarted
from shared.runtime.tasks import TaskEnded
from shared.testing.memory_bus import MemoryBus
from tests.contract.bus.events import Seen, started


async def forever() -> None:
    await asyncio.Event().wait()


async def test_the_error_of_a_task_is_raised() -> None:
    async def fail() -> None:
        raise ValueError("broken")

    vital = Vital()
    vital.spawn("forever", forever())
    vital.spawn("failing", fail())
    with pytest.raises(ValueError, match="broken"):
        await asyncio.wait_for(vital.run(), 1)
    await vital.close()


async def test_a_task_that_returns_or_is_cancelled_by_nobody_is_an_end_too() -> None:
    async def return_at_once() -> None:
        return

    async def cancel_itself() -> None:
        raise asyncio.CancelledError

    for work in (return_at_once, cancel_itself):
        vital = Vital()
        vital.spawn("short", work())
        with pytest.raises(TaskEnded, match="short"):
            await asyncio.wait_for(vital.run(), 1)


async def test_stopped_tasks_are_no_end() -> None:
    vital = Vital()
    task = vital.spawn("forever", forever())
    running = asyncio.create_task(vital.run())
    await vital.stop([task], 0)
    assert task.cancelled()
    assert not running.done()
    await vital.close()
    await asyncio.wait_for(running, 1)


async def test_a_bus_whose_worker_breaks_says_so_and_ends() -> None:
    class Broken(MemoryBus):
        async def _open(self, *_: object) -> Intake:
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
