"""One job's render pipeline and the spool that it fills."""

import asyncio
import errno
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path

from services.recorder.jobs.context import JobContext
from services.recorder.jobs.preview import Preview
from services.recorder.media.pipeline import RenderedSegment, RenderPipeline
from shared.egress.jobs import Job
from shared.egress.keys import preview_key
from shared.egress.problems import EgressProblem
from shared.egress.segments import Segment


class Capture:
    """Runs from `start` to `stop`; `failed` is called on the loop with the reason if it ended before.

    The pipeline calls `_next_path`, `_add` and `_fail` on its own thread.
    """

    def __init__(self, job: Job, context: JobContext, failed: Callable[[str], None]):
        self._job = job
        self._context = context
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._numbers = count()
        self.started = False
        prefix = job.segments_prefix
        self._preview = Preview(preview_key(prefix), context.storage) if prefix is not None else None
        self.pipeline = RenderPipeline(
            job.encoding, context.x264_preset, path=self._next_path, done=self._add, failed=self._fail
        )

    def start(self) -> None:
        self.started = True
        self.pipeline.start()

    async def stop(self) -> None:
        """Finish the current segment; the uploader has all segments then."""
        if self.started:
            await asyncio.to_thread(self.pipeline.stop)
        if self._preview is not None:
            await self._preview.stored()

    def _next_path(self) -> Path:
        return self._context.spool.path(self._job.key, self._job.epoch, next(self._numbers))

    def _add(self, rendered: RenderedSegment) -> None:
        if self._preview is not None and self._preview.is_due:
            self._loop.call_soon_threadsafe(self._preview.show, rendered.file.read_bytes())
        spooled = self._context.spool.complete(rendered.file, self._segment(rendered))
        self._loop.call_soon_threadsafe(self._context.uploader.add, spooled)

    def _segment(self, rendered: RenderedSegment) -> Segment:
        job, n = self._job, int(rendered.file.stem)
        return Segment(
            key=job.key,
            session_id=job.session_id,
            epoch=job.epoch,
            n=n,
            path=job.segment_path(job.epoch, n),
            starts_at=self._context.clock.now() - timedelta(seconds=rendered.age),
            duration=round(rendered.duration, 6),
            size=rendered.file.stat().st_size,
            discontinuity=rendered.discontinuity,
            missing=rendered.missing,
        )

    def _fail(self, error: Exception) -> None:
        disk_full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        reason = EgressProblem.DISK_FULL if disk_full else f"{type(error).__name__}: {error}"
        self._loop.call_soon_threadsafe(self._failed, reason)
