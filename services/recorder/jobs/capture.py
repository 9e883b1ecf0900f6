"""One job's pipeline and the spool that it fills."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from services.recorder.jobs.context import JobContext
from services.recorder.media.pipeline import RenderedSegment, RenderPipeline
from shared.egress.jobs import Job
from shared.egress.segments import Segment


class Capture:
    """From `start` to `stop`; `failed` is told, on the loop, of what ended it before."""

    def __init__(self, job: Job, context: JobContext, failed: Callable[[str], None]):
        self._job = job
        self._context = context
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._next = 0
        self.started = False
        self.pipeline = RenderPipeline(
            job.look, context.preset, name=self._name, made=self._made, failed=self._broke
        )

    def start(self) -> None:
        self.started = True
        self.pipeline.start()

    async def stop(self) -> None:
        """Finish the segment in hand; all are with the uploader then."""
        if self.started:
            await asyncio.to_thread(self.pipeline.stop)

    def _name(self) -> Path:
        """On the pipeline's thread."""
        n, self._next = self._next, self._next + 1
        return self._context.spool.path(self._job.key, self._job.epoch, n)

    def _made(self, made: RenderedSegment) -> None:
        """On the pipeline's thread."""
        spooled = self._context.spool.complete(made.file, self._segment(made))
        self._loop.call_soon_threadsafe(self._context.uploader.add, spooled)

    def _segment(self, made: RenderedSegment) -> Segment:
        job, n = self._job, int(made.file.stem)
        return Segment(
            key=job.key,
            session_id=job.session_id,
            epoch=job.epoch,
            n=n,
            path=job.segment_path(job.epoch, n),
            starts_at=self._context.clock.now() - timedelta(seconds=made.age),
            duration=round(made.duration, 6),
            size=made.file.stat().st_size,
            discontinuity=made.broken,
        )

    def _broke(self, error: Exception) -> None:
        """On the pipeline's thread."""
        self._loop.call_soon_threadsafe(self._failed, _told(error))


def _told(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "The disk of the recorder is full"
    return f"{type(error).__name__}: {error}"
