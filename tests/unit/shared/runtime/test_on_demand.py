"""Work that is done whenever somebody asks for it."""

import asyncio

import pytest

from shared.errors import Unavailable
from shared.runtime.backoff import Backoff
from shared.runtime.on_demand import OnDemandWorker

DEADLINE = 20.0
SHORT = Backoff(0.01, 0.01)


class Work:
    """`failures` more fail; each goes on until `may_end` is set."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.begun = 0
        self.done = asyncio.Event()
        self.may_end = asyncio.Event()

    async def __call__(self) -> None:
        self.begun += 1
        await self.may_end.wait()
        if self.failures:
            self.failures -= 1
            raise Unavailable("not now")
        self.done.set()


async def _idle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_all_who_ask_while_it_is_done_have_it_done_once_more() -> None:
    work = Work()
    worker = OnDemandWorker("example", work)
    running = asyncio.create_task(worker.run())
    await _idle()
    assert work.begun == 0
    worker.wake()
    await _idle()
    for _ in range(3):
        worker.wake()
    work.may_end.set()
    await _idle()
    running.cancel()
    assert work.begun == 2


async def test_what_fails_is_repeated_until_it_is_done() -> None:
    work = Work(failures=3)
    work.may_end.set()
    worker = OnDemandWorker("example", work, SHORT)
    worker.wake()
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(DEADLINE):
        await work.done.wait()
    await _idle()
    running.cancel()
    assert work.begun == 4


async def test_a_bug_is_not_repeated() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    worker = OnDemandWorker("example", fail)
    worker.wake()
    with pytest.raises(ZeroDivisionError):
        await worker.run()
