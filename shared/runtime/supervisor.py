"""The long-running tasks of a process: when one ends, the process does."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import structlog
from aiohttp import web

log = structlog.get_logger(__name__)


class Supervisor:
    """Runs named tasks; the first that ends unasked sets `failed`, and the process stops with an error."""

    def __init__(self) -> None:
        self.failed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    def spawn(self, name: str, work: Coroutine[Any, Any, None], *, may_end: bool = False) -> None:
        """Run `work`; `may_end` for work that has an end, such as starting up."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(lambda done: self._ended(done, may_end))
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None], may_end: bool) -> None:
        if self._stopping:
            return
        error = None if task.cancelled() else task.exception()
        if may_end and not task.cancelled() and error is None:
            return
        log.critical("task.ended", task=task.get_name(), cancelled=task.cancelled(), exc_info=error)
        self.failed.set()

    async def stop(self) -> None:
        """Cancel all, the last started first, and wait for each."""
        self._stopping = True
        for task in reversed(self._tasks):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


SUPERVISOR: Final = web.AppKey("supervisor", Supervisor)
