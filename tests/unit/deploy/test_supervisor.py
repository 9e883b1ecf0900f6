"""Start in health order, restart what dies, stop the gateway first; without any process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from deploy.local.process import StackComponent, Tier
from deploy.local.supervisor.supervisor import RestartBackoff, StackSupervisor, StartFailed
from tests.unit.deploy.fakes import FakeSpawner, Reports, component

DEADLINE = 30.0


class Bench:
    """A supervisor over fakes."""

    def __init__(self, *components: StackComponent, never_ready: str = "") -> None:
        self.spawner = FakeSpawner()
        self.reports = Reports()
        self.holds: set[str] = set()
        self.taken: set[str] = set()
        self.supervisor = StackSupervisor(
            components,
            spawn=self.spawner,
            reporter=self.reports,
            held=self.holds.__contains__,
            taken=lambda component: component.name in self.taken,
            probe=self._answers,
        )
        self._never_ready = never_ready

    async def _answers(self, name: str, _: int) -> bool:
        return name != self._never_ready


@asynccontextmanager
async def started(*components: StackComponent) -> AsyncIterator[Bench]:
    bench = Bench(*components)
    async with asyncio.timeout(DEADLINE):
        await bench.supervisor.start()
        yield bench
        await bench.supervisor.stop()


async def test_a_component_starts_after_what_it_needs_is_ready() -> None:
    async with started(component("session", needs=("mongodb", "redis")), component("mongodb")) as bench:
        assert bench.spawner.order == ["mongodb", "session"]
        assert bench.reports.seen.index(("ready", "mongodb")) < bench.reports.seen.index(
            ("starting", "session")
        )


async def test_a_dead_component_is_reported_and_started_again() -> None:
    async with started(component("session")) as bench:
        (await bench.spawner.nth("session", 1)).exit.set_result(-9)
        await bench.spawner.nth("session", 2)
        assert bench.reports.last_exit == (-9, ["session says"], 0.25)


async def test_a_held_component_stays_down_until_released() -> None:
    async with started(component("session")) as bench:
        bench.holds.add("session")
        (await bench.spawner.nth("session", 1)).exit.set_result(0)
        await bench.reports.until("held", "session")
        assert len(bench.spawner.children["session"]) == 1
        bench.holds.clear()
        await bench.spawner.nth("session", 2)


async def test_a_component_that_somebody_else_started_is_left_to_them_until_it_ends() -> None:
    async with started(component("session")) as bench:
        bench.taken.add("session")
        (await bench.spawner.nth("session", 1)).exit.set_result(-9)
        await bench.reports.until("taken", "session")
        assert len(bench.spawner.children["session"]) == 1
        bench.taken.clear()
        await bench.spawner.nth("session", 2)


async def test_stopping_begins_with_the_gateway_and_restarts_nothing() -> None:
    components = (
        component("mongodb", tier=Tier.INFRASTRUCTURE),
        component("session", tier=Tier.SERVICE),
        component("livekit", tier=Tier.MEDIA),
        component("gateway", tier=Tier.GATEWAY),
    )
    async with started(*components) as bench:
        pass
    stopped = [name for what, name in bench.reports.seen if what == "stopped"]
    assert stopped == ["gateway", "livekit", "session", "mongodb"]
    assert len(bench.spawner.order) == 4


async def test_a_component_that_never_starts_fails_the_start_with_its_lines() -> None:
    bench = Bench(component("session"), component("redis"), never_ready="session")
    bench.spawner.dead_on_arrival.add("session")
    async with asyncio.timeout(DEADLINE):
        with pytest.raises(StartFailed, match=r"(?s)session does not start \(exit status 1\).*session says"):
            await bench.supervisor.start()
        await bench.supervisor.stop()
    assert len(bench.spawner.children["session"]) == 3


async def test_a_component_that_is_never_ready_is_named() -> None:
    bench = Bench(component("session"), component("redis"), never_ready="session")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await bench.supervisor.start()
    assert bench.supervisor.waiting_for() == ["session"]
    await bench.supervisor.stop()


async def test_stopping_before_anything_started_is_harmless() -> None:
    bench = Bench(component("session"))
    await bench.supervisor.stop()
    assert bench.spawner.order == []


def test_the_wait_doubles_from_a_quarter_of_a_second_to_thirty() -> None:
    backoff = RestartBackoff()
    assert [backoff.after(0.1) for _ in range(9)] == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]


def test_ten_seconds_of_health_starts_over() -> None:
    backoff = RestartBackoff()
    for _ in range(4):
        backoff.after(0.1)
    assert [backoff.after(10.0), backoff.after(9.9)] == [0.25, 0.5]
