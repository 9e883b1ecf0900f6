"""The loop: prompt after quiet, and no session in another's way."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from services.attendance.recompute.recompute import AttendanceRecompute
from services.attendance.recompute.worker import RecomputeWorker
from services.attendance.sessions.domain import People
from shared.errors import Unavailable
from shared.ids import new_id
from shared.persistence.mongo import Mongo
from shared.runtime import tracing
from tests.fakes.memory_mongo import memory_mongo
from tests.fakes.recorded_spans import id_of, links_of, parent_of, recorded_spans, trace_of
from tests.unit.attendance.builders import at, connection, joined, session
from tests.unit.attendance.fixture import Replica


class FailingRecompute(AttendanceRecompute):
    """Fails for one session as often as told; waits in another until let go."""

    def __init__(self, replica: Replica, *, fails: str = "", error: Exception | None = None, slow: str = ""):
        super().__init__(
            replica.sessions,
            replica.presences,
            replica.attendances,
            replica.viewer_counts,
            replica.leave_requests,
        )
        self.failures = 2
        self.go = asyncio.Event()
        self._fails, self._error, self._slow = fails, error, slow

    async def recompute(self, session_id: str, people: People) -> set[str]:
        if session_id == self._slow:
            await self.go.wait()
        if session_id == self._fails and self.failures and self._error:
            self.failures -= 1
            raise self._error
        return await super().recompute(session_id, people)


@asynccontextmanager
async def running(replica: Replica, recompute: AttendanceRecompute) -> AsyncIterator[None]:
    worker = RecomputeWorker(replica.queue, recompute, period=0.01, adopt_after=5)
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def counted(replica: Replica, session_id: str, wanted: int = 1) -> None:
    await until(lambda: replica.viewer_counts.seen(session_id), lambda seen: seen.viewer_count == wanted)


async def until(ask: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool]) -> None:
    deadline = time.monotonic() + 5
    while not wanted(await ask()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def one_viewer_each(replica: Replica, *sessions: str) -> None:
    await replica.handle([joined(one, connection(new_id(), f"PA_{one}", at(0))) for one in sessions])


async def test_a_failing_session_is_tried_again_and_stops_nobody() -> None:
    for error in (Unavailable("away"), ValueError("a bug")):
        replica = Replica(mongo := memory_mongo())
        bad, good = session().id, session().id
        recompute = FailingRecompute(replica, fails=bad, error=error)
        async with running(replica, recompute):
            await one_viewer_each(replica, bad, good)
            await counted(replica, good)
            await counted(replica, bad)
            await no_marks(mongo)
        assert recompute.failures == 0


async def test_a_slow_session_holds_up_no_other() -> None:
    replica = Replica(mongo := memory_mongo())
    slow, quick = session().id, session().id
    recompute = FailingRecompute(replica, slow=slow)
    async with running(replica, recompute):
        await one_viewer_each(replica, slow, quick)
        await counted(replica, quick)
        assert (await replica.viewer_counts.seen(slow)).version == 0
        # What changes meanwhile is counted when it is free again.
        await replica.handle([joined(slow, connection(new_id(), "PA_other", at(1)))])
        recompute.go.set()
        await counted(replica, slow, 2)
        await no_marks(mongo)


async def no_marks(mongo: Mongo) -> None:
    await until(lambda: mongo.collection("marks").find({}), lambda marks: not marks)


async def test_what_is_recomputed_is_part_of_the_traces_that_asked_for_it() -> None:
    replica, one = Replica(memory_mongo()), session().id
    worker = RecomputeWorker(replica.queue, FailingRecompute(replica), period=0.01, adopt_after=5)
    with recorded_spans() as recorded:
        for name in ("a join", "another"):
            with tracing.span(name):
                await one_viewer_each(replica, one)
        await worker.run_once()
        spans = {span.name: span for span in recorded.all}
    recomputed, read = spans["recompute attendance"], spans["find attendances"]
    assert parent_of(read) == id_of(recomputed)
    assert {trace_of(recomputed)} == {trace_of(spans["a join"])}
    assert links_of(recomputed) == [trace_of(spans["another"])]
    assert recomputed.attributes == {"greenroom.session_id": one}


async def test_what_nobody_traced_asks_for_makes_no_trace() -> None:
    replica = Replica(memory_mongo())
    await one_viewer_each(replica, session().id)
    with recorded_spans() as recorded:
        await RecomputeWorker(replica.queue, FailingRecompute(replica), period=0.01, adopt_after=5).run_once()
        assert recorded.all == []
