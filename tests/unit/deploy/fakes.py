"""Children that live and die on command, and a reporter that remembers."""

from __future__ import annotations

import asyncio
from pathlib import Path

from deploy.local.process import StackComponent, Tier


class FakeChild:
    def __init__(self, pid: int, log: list[str]) -> None:
        self.pid = pid
        self.log = log
        self.exit: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def wait(self) -> int:
        return await asyncio.shield(self.exit)

    async def stop(self) -> None:
        if not self.exit.done():
            self.exit.set_result(-15)

    def last_lines(self, count: int) -> list[str]:
        return self.log[-count:]


class FakeSpawner:
    """Remembers every child by component; those in `dead_on_arrival` end at once with status 1."""

    def __init__(self) -> None:
        self.children: dict[str, list[FakeChild]] = {}
        self.order: list[str] = []
        self.dead_on_arrival: set[str] = set()

    async def __call__(self, component: StackComponent) -> FakeChild:
        child = FakeChild(1000 + len(self.order), [f"{component.name} says"])
        self.order.append(component.name)
        self.children.setdefault(component.name, []).append(child)
        if component.name in self.dead_on_arrival:
            child.exit.set_result(1)
        return child

    async def nth(self, name: str, count: int) -> FakeChild:
        """The child of a component once it was started that many times."""
        async with asyncio.timeout(10):
            while len(self.children.get(name, ())) < count:
                await asyncio.sleep(0.005)
        return self.children[name][count - 1]


class Reports:
    """What the runners said, as (what, component)."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.last_exit: tuple[int, list[str], float] | None = None

    async def until(self, what: str, name: str) -> None:
        async with asyncio.timeout(10):
            while (what, name) not in self.seen:
                await asyncio.sleep(0.005)

    def starting(self, name: str, pid: int) -> None:
        self.seen.append(("starting", name))

    def ready(self, name: str, seconds: float) -> None:
        self.seen.append(("ready", name))

    def exited(self, name: str, status: int, lines: list[str], restart_in: float) -> None:
        self.seen.append(("exited", name))
        self.last_exit = (status, lines, restart_in)

    def held(self, name: str) -> None:
        self.seen.append(("held", name))

    def taken(self, name: str) -> None:
        self.seen.append(("taken", name))

    def stopped(self, name: str) -> None:
        self.seen.append(("stopped", name))


def component(name: str, *, needs: tuple[str, ...] = (), tier: Tier = Tier.SERVICE) -> StackComponent:
    return StackComponent(name=name, argv=(name,), port=1, tier=tier, cwd=Path("/"), needs=needs)
