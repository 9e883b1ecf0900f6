"""Waiting for a condition with a deadline, and the failure if it does not come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.1
# For whatever must come: a busy machine takes much longer than a free one.
DEADLINE_SECONDS = 90.0


class DemoFailed(Exception):
    """Something did not happen as it should; the message says what."""


async def eventually(
    ask: Callable[[], Awaitable[T]],
    accept: Callable[[T], bool],
    *,
    within: float = DEADLINE_SECONDS,
    otherwise: Callable[[T], str],
    every: float = POLL_SECONDS,
) -> T:
    """Ask until the answer is accepted, and return it.

    Raises DemoFailed with `otherwise(the last answer)` after `within` seconds.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not accept(answer := await ask()):
        if loop.time() > deadline:
            raise DemoFailed(f"{otherwise(answer)} (after {within:.0f} s)")
        await asyncio.sleep(every)
    return answer


async def together(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all concurrently; the first that fails cancels the others, and is raised."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
