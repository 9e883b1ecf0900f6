"""What asyncio has no word for: waiting with an end, and who cancelled a task."""

import asyncio


async def wait_at_most(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event, no longer than `seconds`; whether it is set."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def cancelled_by_us() -> bool:
    """Whether somebody asked the current task to end; a driver may raise CancelledError by itself."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
