"""Tasks whose end, unasked, is the end of the bus."""

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any

import structlog

from shared.runtime.tasks import TaskEnded

log = structlog.get_logger(__name__)


class Vital:
    """`run` raises as soon as one of the tasks has ended that nobody stopped."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self._death: BaseException | None = None

    @property
    def death(self) -> BaseException | None:
        """What ended the first task that died, if one did."""
        return self._death

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._on_end)
        return task

    def _on_end(self, task: asyncio.Task[None]) -> None:
        if task not in self._tasks:
            return
        self._tasks.discard(task)
        error = TaskEnded(f"{task.get_name()} was cancelled") if task.cancelled() else task.exception()
        log.error("bus.task_died", task=task.get_name(), error=repr(error))
        self._death = self._death or error or TaskEnded(f"{task.get_name()} ended")
        self._ended.set()

    async def run(self) -> None:
        """Returns after `close`."""
        await self._ended.wait()
        if self._death is not None:
            raise self._death

    async def stop(self, tasks: Collection[asyncio.Task[None]], deadline: float) -> None:
        """Let these end by themselves within `deadline` seconds, else cancel them."""
        self._tasks.difference_update(tasks)
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=deadline)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        await self.stop(tuple(self._tasks), 0)
        self._ended.set()
