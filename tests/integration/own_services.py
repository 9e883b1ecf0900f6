"""Processes of a test in place of the stack's own, on the same ports, with other settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.replica import replica, settings_of
from tests.running_stack import RunningStack

STOP_SECONDS = 20.0
Settings = dict[str, str]


class OwnServices:
    """Started, and started again, by `restart`; the stack's own are `held` meanwhile."""

    def __init__(self, running: RunningStack, names: Sequence[str], folder: Path):
        self._settings = {name: settings_of(running, name) for name in names}
        self._folder = folder
        self._started: dict[str, AsyncExitStack] = {}

    async def restart(self, changes: Mapping[str, Settings]) -> None:
        """Start these with the changed settings, all at the same time."""
        await asyncio.gather(*(self._restart(name, changed) for name, changed in changes.items()))

    async def _restart(self, name: str, changed: Settings) -> None:
        await self.stop(name)
        self._settings[name] = self._settings[name] | changed
        self._started[name] = stack = AsyncExitStack()
        log = stack.enter_context((self._folder / f"{name}.log").open("ab"))
        settings = self._settings[name]
        await stack.enter_async_context(
            replica(
                f"services.{name}",
                int(settings["GREENROOM_PORT"]),
                settings,
                output=log,
                stop_seconds=STOP_SECONDS,
            )
        )

    async def stop(self, name: str) -> None:
        if name in self._started:
            await self._started.pop(name).aclose()

    async def stop_all(self) -> None:
        await asyncio.gather(*(self.stop(name) for name in list(self._started)))


@asynccontextmanager
async def own_services(
    running: RunningStack, names: Sequence[str], folder: Path
) -> AsyncIterator[OwnServices]:
    """The stack's own of these are down until this is left; then they are as before."""
    services = OwnServices(running, names, folder)
    async with AsyncExitStack() as held:
        await asyncio.gather(*(held.enter_async_context(running.held(name)) for name in names))
        try:
            yield services
        finally:
            await services.stop_all()
