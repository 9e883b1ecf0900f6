"""Tasks that must not die unseen."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class TaskEnded(Exception):
    """A task that runs for the life of the process ended, or was cancelled by nobody of ours."""


async def run_all(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run all until cancelled; the first that ends, however, ends them all and raises.

    A driver that lets a bare `CancelledError` escape would otherwise end its task in silence.
    """
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = done.pop()
        if ended.cancelled():
            raise TaskEnded(f"{ended.get_coro()} was cancelled by nobody")
        error = ended.exception()
        raise error if error else TaskEnded(f"{ended.get_coro()} returned")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
