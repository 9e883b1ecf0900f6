"""Runs all components: each when what it needs is ready, stopped from the door inwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from deploy.local.child import Spawn
from deploy.local.component import Component, Tier
from deploy.local.keeper import Keeper, Reporter


class Supervisor:
    """Owns the keepers and their tasks."""

    def __init__(
        self,
        components: Iterable[Component],
        *,
        spawn: Spawn,
        reporter: Reporter,
        held: Callable[[str], bool],
        taken: Callable[[Component], bool],
    ) -> None:
        self._keepers = {c.name: Keeper(c, spawn, reporter, held, taken) for c in components}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Start everything; returns when all are ready. Raises StartFailed for one that cannot."""
        self._tasks = {
            name: asyncio.create_task(self._keep(k), name=name) for name, k in self._keepers.items()
        }
        everything = asyncio.create_task(self._all_ready())
        try:
            await asyncio.wait([everything, *self._tasks.values()], return_when=asyncio.FIRST_COMPLETED)
            self._raise_failure()
        finally:
            everything.cancel()

    async def watch(self) -> None:
        """Wait until a keeper ends, which none does by itself, and raise its error."""
        await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        self._raise_failure()

    def waiting_for(self) -> list[str]:
        """The components that were never ready yet."""
        return [name for name, keeper in self._keepers.items() if not keeper.ready.is_set()]

    async def stop(self) -> None:
        """End every child, one tier after the other, the highest first."""
        for tier in sorted(Tier, reverse=True):
            keepers = [k for k in self._keepers.values() if k.component.tier is tier]
            async with asyncio.TaskGroup() as stops:
                for keeper in keepers:
                    stops.create_task(self._stop(keeper))

    async def _keep(self, keeper: Keeper) -> None:
        for name in keeper.component.needs:
            if name in self._keepers:
                await self._keepers[name].ready.wait()
        await keeper.run()

    async def _all_ready(self) -> None:
        for keeper in self._keepers.values():
            await keeper.ready.wait()

    async def _stop(self, keeper: Keeper) -> None:
        """Cancel the keeper's task first, so that the end of its child is no reason to restart it."""
        task = self._tasks.get(keeper.component.name)
        if task is None:
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)  # its error, if any, was raised by start or watch
        await keeper.stop()

    def _raise_failure(self) -> None:
        for task in self._tasks.values():
            if task.done():
                task.result()
                raise RuntimeError(f"the keeper of {task.get_name()} ended without a reason")
