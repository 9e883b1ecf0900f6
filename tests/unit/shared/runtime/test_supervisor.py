"""Tasks that run until they are stopped: when one ends by itself, whatever they work for ends too."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from shared.runtime import tasks
from shared.runtime.tasks import TaskEnded, TaskSupervisor, run_all

DEADLINE = 30.0
Ends = Callable[[], Coroutine[Any, Any, None]]


async def returns() -> None:
    await asyncio.sleep(0)


async def raises() -> None:
    raise ZeroDivisionError


async def cancelled_by_nobody() -> None:
    raise asyncio.CancelledError


class Lasting:
    """Runs until cancelled, and says so."""

    def __init__(self) -> None:
        self.cancelled = False

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def test_the_first_that_raises_ends_all() -> None:
    other = Lasting()
    with pytest.raises(ZeroDivisionError):
        await run_all(other.run(), raises())
    assert other.cancelled


@pytest.mark.parametrize("ends", [returns, cancelled_by_nobody])
async def test_the_first_that_ends_unasked_ends_all(ends: Ends) -> None:
    other = Lasting()
    with pytest.raises(TaskEnded):
        await run_all(ends(), other.run())
    assert other.cancelled


async def test_who_is_cancelled_cancels_all() -> None:
    both = [Lasting(), Lasting()]
    running = asyncio.create_task(run_all(*(one.run() for one in both)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [one.cancelled for one in both] == [True, True]


async def test_a_cancellation_that_was_lost_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_CANCEL_AGAIN_SECONDS", 0.05)
    supervisor = TaskSupervisor()
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    lost = []

    async def ask() -> None:
        # Python 3.11 returns an answer that is there when the cancellation comes, and forgets the latter.
        await asyncio.wait_for(answer, DEADLINE)
        lost.append(True)
        await asyncio.Event().wait()

    supervisor.spawn("asking", ask())
    await asyncio.sleep(0)
    answer.set_result(None)
    async with asyncio.timeout(DEADLINE):
        await supervisor.stop()
    assert lost


@pytest.mark.parametrize("ends", [returns, raises, cancelled_by_nobody])
async def test_a_supervised_task_that_ends_fails_the_process(ends: Ends) -> None:
    supervisor, other = TaskSupervisor(), Lasting()
    supervisor.spawn("lasting", other.run())
    supervisor.spawn("ends", ends())
    async with asyncio.timeout(DEADLINE):
        await supervisor.failed.wait()
    await supervisor.stop()
    assert other.cancelled


async def test_start_up_work_may_end() -> None:
    supervisor = TaskSupervisor()
    done = asyncio.Event()

    async def start() -> None:
        done.set()

    supervisor.spawn("start", start(), may_end=True)
    async with asyncio.timeout(DEADLINE):
        await done.wait()
    await asyncio.sleep(0)
    await supervisor.stop()
    assert not supervisor.failed.is_set()


@pytest.mark.parametrize("ends", [raises, cancelled_by_nobody])
async def test_start_up_work_that_fails_fails_the_process(ends: Ends) -> None:
    supervisor = TaskSupervisor()
    supervisor.spawn("start", ends(), may_end=True)
    async with asyncio.timeout(DEADLINE):
        await supervisor.failed.wait()
    await supervisor.stop()


async def test_stopping_is_no_failure() -> None:
    supervisor, lasting = TaskSupervisor(), Lasting()
    supervisor.spawn("lasting", lasting.run())
    await asyncio.sleep(0)
    await supervisor.stop()
    assert lasting.cancelled
    assert not supervisor.failed.is_set()


async def forever() -> None:
    await asyncio.Event().wait()


async def test_the_error_of_a_task_is_raised() -> None:
    async def fail() -> None:
        raise ValueError("broken")

    supervisor = TaskSupervisor()
    supervisor.spawn("forever", forever())
    supervisor.spawn("failing", fail())
    with pytest.raises(ValueError, match="broken"):
        await asyncio.wait_for(supervisor.run(), 1)
    await supervisor.stop()


async def test_a_task_that_returns_or_is_cancelled_by_nobody_is_an_end_too() -> None:
    async def return_at_once() -> None:
        return

    async def cancel_itself() -> None:
        raise asyncio.CancelledError

    for work in (return_at_once, cancel_itself):
        supervisor = TaskSupervisor()
        supervisor.spawn("short", work())
        with pytest.raises(TaskEnded, match="short"):
            await asyncio.wait_for(supervisor.run(), 1)


async def test_stopped_tasks_are_no_end() -> None:
    supervisor = TaskSupervisor()
    task = supervisor.spawn("forever", forever())
    running = asyncio.create_task(supervisor.run())
    await supervisor.stop_some([task], 0)
    assert task.cancelled()
    assert not running.done()
    await supervisor.stop()
    await asyncio.wait_for(running, 1)
