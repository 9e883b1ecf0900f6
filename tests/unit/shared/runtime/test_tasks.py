"""Waiting for an event with an end."""

import asyncio

from shared.runtime.tasks import wait_at_most


async def test_a_wait_ends_with_the_event_or_with_the_time() -> None:
    event = asyncio.Event()
    assert not await wait_at_most(event, 0.01)
    asyncio.get_running_loop().call_soon(event.set)
    async with asyncio.timeout(30):
        assert await wait_at_most(event, 60)
