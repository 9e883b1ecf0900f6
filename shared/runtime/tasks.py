"""Long-running tasks: when one ends, whatever they work for does, up to the process. And locks by key."""

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any, Final
from weakref import WeakValueDictionary

import structlog
from aiohttp import web

log = structlog.get_logger(__name__)

# Longer than any clean-up of a cancelled task takes, which another cancellation would cut short.
_CANCEL_AGAIN_SECONDS = 6.0


class TaskEnded(Exception):
    """A task that runs until it is stopped ended, or was cancelled by nobody of ours."""


class TaskSupervisor:
    """Runs named tasks; the first that ends unasked sets `failed`, and is the `error` that `run` raises.

    A driver that lets a bare `CancelledError` escape would otherwise end its task in silence.
    """

    def __init__(self) -> None:
        self.failed = asyncio.Event()
        self.error: BaseException | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stopped = False
        self._over = asyncio.Event()

    def spawn(
        self, name: str, work: Coroutine[Any, Any, None], *, may_end: bool = False
    ) -> asyncio.Task[None]:
        """Run `work`; `may_end` for work that has an end, such as starting up."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(lambda done: self._ended(done, may_end))
        self._tasks.append(task)
        return task

    def _ended(self, task: asyncio.Task[None], may_end: bool) -> None:
        if self._stopped or task not in self._tasks:
            return
        self._tasks.remove(task)
        error = TaskEnded(f"{task.get_name()} was cancelled") if task.cancelled() else task.exception()
        if may_end and error is None:
            return
        log.critical("task.ended", task=task.get_name(), cancelled=task.cancelled(), exc_info=error)
        self.error = self.error or error or TaskEnded(f"{task.get_name()} ended")
        self.failed.set()
        self._over.set()

    async def run(self) -> None:
        """Raise the error of the first task that ended unasked; returns after `stop`."""
        await self._over.wait()
        if self.error is not None:
            raise self.error

    async def stop_some(self, tasks: Collection[asyncio.Task[None]], deadline: float) -> None:
        """Let these end by themselves within `deadline` seconds, else cancel them."""
        self._tasks = [task for task in self._tasks if task not in tasks]
        if not tasks:
            return
        await asyncio.wait(tasks, timeout=deadline)
        await _cancel(tasks)

    async def stop(self) -> None:
        """Cancel all, the last started first, and wait for each."""
        self._stopped = True
        for task in reversed(self._tasks):
            await _cancel([task])
        self._over.set()


async def _cancel(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel them until they have ended, since a cancellation can be lost.

    `asyncio.wait_for`, which clients use, swallows one that comes together with what it waits for.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_CANCEL_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)


async def run_all(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run all until cancelled; the first that ends, however, ends them all and raises."""
    supervisor = TaskSupervisor()
    for coroutine in coroutines:
        supervisor.spawn(repr(coroutine), coroutine)
    try:
        await supervisor.run()
    finally:
        await supervisor.stop()


SUPERVISOR: Final = web.AppKey("supervisor", TaskSupervisor)


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


async def until_first_ends(*work: Coroutine[Any, Any, Any], cancel_seconds: float = 5.0) -> None:
    """Run all until the first ends, or fails, then cancel the others; raises the first's error."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=cancel_seconds)


class KeyedLocks:
    """Within this process; a key that nobody waits for is forgotten."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, key: str) -> asyncio.Lock:
        """The lock of this key."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock

    def taken(self, key: str) -> bool:
        """Whether somebody holds the lock of this key."""
        lock = self._locks.get(key)
        return lock is not None and lock.locked()
