"""Jobs for the stack's recorder, ordered straight from the embedded engine, and their results."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.egress.egresses.domain import PlannedEgress
from services.egress.egresses.repository import EgressRepository
from services.egress.engines.embedded import EmbeddedEngine
from shared.clock import SystemClock
from shared.egress.engine import EgressOrder, EncodingOptions
from shared.egress.job_repository import JobRepository, RecorderRepository
from shared.egress.jobs import Job, egress_id_of
from shared.egress.segments import Segment, SegmentRepository
from shared.ids import new_id
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from tests.fakes.memory_bus import MemoryBus
from tests.running_stack import RunningStack

POLL_SECONDS = 0.1
DEFAULT_ENCODING = EncodingOptions()


class TimedOut(AssertionError):
    """What was waited for did not come before the deadline."""


@dataclass(frozen=True)
class RecorderJobs:
    jobs: JobRepository
    segments: SegmentRepository
    engine: EmbeddedEngine
    storage: Path
    mongo: Mongo
    egresses: EgressRepository

    async def order(
        self,
        room: str,
        *,
        stream: bool = True,
        file: bool = True,
        encoding: EncodingOptions = DEFAULT_ENCODING,
    ) -> str:
        """Order an egress of the room; its key."""
        key = new_id().replace("-", "")
        await self._plan(key, room)
        await self.engine.start(
            EgressOrder(
                key=key,
                session_id=room,
                segments_prefix=f"hls/{room}/{key}" if stream else None,
                file_key=f"recordings/{room}/{key}.mp4" if file else None,
                encoding=encoding,
            )
        )
        return key

    async def _plan(self, key: str, room: str) -> None:
        """So that it is not taken for one that nobody planned; of no stream's and no recording's."""
        now = SystemClock().now()
        plan = PlannedEgress(
            id=key,
            session_id=room,
            stream=False,
            file=False,
            egress_id=egress_id_of(key),
            created_at=now,
            updated_at=now,
        )
        await self.egresses.add(plan, [])

    async def stop(self, key: str) -> None:
        await self.engine.stop((await self.job(key)).egress_id)

    async def job(self, key: str) -> Job:
        found = await self.jobs.find(key)
        assert found is not None
        return found

    async def until(self, key: str, holds: Callable[[Job], bool], *, within: float) -> Job:
        """Wait until something holds of the job."""
        deadline = time.monotonic() + within
        while not holds(job := await self.job(key)):
            if time.monotonic() > deadline:
                raise TimedOut(f"after {within:.0f} s the job is {job}")
            await asyncio.sleep(POLL_SECONDS)
        return job

    async def until_segments(self, key: str, count: int, *, epoch: int = 1, within: float) -> list[Segment]:
        """Wait for so many segments of an epoch."""
        deadline = time.monotonic() + within
        while len(found := [one for one in await self.segments.of(key) if one.epoch == epoch]) < count:
            if time.monotonic() > deadline:
                raise TimedOut(f"after {within:.0f} s there are {len(found)} segments of epoch {epoch}")
            await asyncio.sleep(POLL_SECONDS)
        return found

    async def until_no_segments(self, key: str, *, within: float) -> None:
        """Wait until no record of a segment is left."""
        deadline = time.monotonic() + within
        while left := await self.segments.of(key):
            if time.monotonic() > deadline:
                raise TimedOut(f"after {within:.0f} s there still are {len(left)} segments")
            await asyncio.sleep(POLL_SECONDS)

    async def webhooks(self, ids: Sequence[str], *, within: float) -> set[str]:
        """Which of these the door has taken; waits for all."""
        taken = self.mongo.collection("webhooks")
        deadline = time.monotonic() + within
        while len(found := await taken.find({"_id": {"$in": list(ids)}})) < len(ids):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(POLL_SECONDS)
        return {str(one["_id"]) for one in found}

    def file(self, job: Job) -> Path:
        assert job.file_key is not None
        return self.storage / job.file_key


def is_over(job: Job) -> bool:
    return job.status.over


@asynccontextmanager
async def recorder_jobs_of(running: RunningStack) -> AsyncIterator[RecorderJobs]:
    mongo = Mongo.from_uri(running.info.mongodb.egress)
    jobs = JobRepository(mongo)
    clock = SystemClock()
    egresses = EgressRepository(mongo, Outbox(MemoryBus(), clock, source="/tests"), clock)
    storage = running.data.data_of("storage")
    try:
        engine = EmbeddedEngine(jobs, RecorderRepository(mongo), clock)
        yield RecorderJobs(jobs, SegmentRepository(mongo), engine, storage, mongo, egresses)
    finally:
        mongo.close()
