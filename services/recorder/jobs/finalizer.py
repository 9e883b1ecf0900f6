"""The end of a job: its segments become the file, and what was asked for is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import av
import structlog

from services.recorder.file.gaps import gaps, holes, parts
from services.recorder.file.mp4 import NoMedia, write
from services.recorder.file.poster import poster
from services.recorder.jobs.context import JobContext
from shared.egress.engine import EgressStatus
from shared.egress.jobs import Job, Result
from shared.egress.segments import Segment
from shared.errors import AppError, NotFound
from shared.runtime.backoff import until_available

log = structlog.get_logger(__name__)

# LiveKit Egress's words for an end before there was anything.
_NOTHING_CAME = "Start signal not received"


class Finalizer:
    def __init__(self, job: Job, context: JobContext):
        self._job = job
        self._context = context
        self._missing: list[Segment] = []

    async def finish(self, failure: str | None) -> Job:
        """The job as it ended; its file, if any was asked for, is stored. Waits while storage is away."""
        await self._context.uploader.done(self._job.key)
        segments = await until_available("segments", lambda: self._context.segments.of(self._job.key))
        now = self._context.clock.now()
        if not segments:
            status = EgressStatus.FAILED if failure else EgressStatus.ABORTED
            return replace(self._job, status=status, error=failure or _NOTHING_CAME, ended_at=now)
        started_at = self._job.started_at or segments[0].starts_at
        ended = replace(
            self._job,
            started_at=started_at,
            ended_at=self._job.ended_at or _end(segments[-1]),
            gaps=gaps(segments, started_at),
        )
        try:
            result = await self._store(segments)
        except (AppError, NoMedia, av.FFmpegError, OSError) as error:
            log.exception("job.file_failed", job=self._job.key)
            return replace(ended, status=EgressStatus.FAILED, error=failure or _told(error))
        status = EgressStatus.FAILED if failure else EgressStatus.COMPLETE
        lacking = sorted((*ended.gaps, *holes(segments, self._missing)), key=lambda gap: gap.after_seconds)
        return replace(ended, status=status, error=failure, result=result, gaps=tuple(lacking))

    async def clear(self) -> None:
        """Remove what nobody is to see: the segments of an egress that was to be a file alone.

        Where there is no file they stay with the failed recording, for another try.
        """
        await asyncio.to_thread(self._context.spool.forget, self._job.key)
        if self._job.segments_prefix is None and self._job.status is not EgressStatus.FAILED:
            segments = await until_available("segments", lambda: self._context.segments.of(self._job.key))
            await until_available(
                "storage", lambda: self._context.storage.delete([one.path for one in segments])
            )
            await until_available("segments", lambda: self._context.segments.delete_of(self._job.key))

    async def _store(self, segments: Sequence[Segment]) -> Result:
        duration = sum(segment.duration for segment in segments)
        size = None
        if self._job.file_key is not None:
            duration, size = await self._store_file(segments, self._job.file_key)
        return Result(
            duration=round(duration, 3),
            segments=len(segments),
            segments_size=sum(segment.size for segment in segments),
            file_size=size,
        )

    async def _store_file(self, segments: Sequence[Segment], key: str) -> tuple[float, int]:
        """Make and store the file and its poster; its seconds and bytes."""
        began = time.monotonic()
        file = self._context.spool.path(self._job.key, self._job.epoch, 0).with_name("file.mp4")
        reading = _Reading(self._context, asyncio.get_running_loop(), self._missing)
        runs = [reading.pieces(run) for run in parts(segments)]
        duration = await asyncio.to_thread(write, file, runs)
        size = file.stat().st_size
        await self._put(key, file)
        await self._store_poster(segments, key)
        file.unlink()
        log.info("job.file_stored", key=key, size=size, took=round(time.monotonic() - began, 2))
        return duration, size

    async def _store_poster(self, segments: Sequence[Segment], key: str) -> None:
        """The middle of it: the beginning often shows nobody yet. A file is worth having without one."""
        try:
            middle = await self._get(segments[len(segments) // 2].path)
            picture = await asyncio.to_thread(poster, middle)
            if picture is not None:
                await self._put(f"{key}.jpg", picture)
        except (AppError, av.FFmpegError) as error:
            log.warning("job.no_poster", key=key, error=str(error))

    async def _put(self, key: str, content: bytes | Path) -> None:
        await until_available("storage", lambda: self._context.storage.put(key, content))

    async def _get(self, key: str) -> bytes:
        return await until_available("storage", lambda: self._context.storage.get(key))


class _Reading:
    """Stored segments for a thread that wants them one by one; those that are gone go to `missing`."""

    def __init__(self, context: JobContext, loop: asyncio.AbstractEventLoop, missing: list[Segment]):
        self._context = context
        self._loop = loop
        self._missing = missing

    def pieces(self, segments: Sequence[Segment]) -> Iterator[bytes]:
        """A segment whose file is gone is left out: the rest is worth having."""
        for segment in segments:
            asked: Future[bytes] = asyncio.run_coroutine_threadsafe(self._get(segment.path), self._loop)
            try:
                yield asked.result()
            except NotFound:
                log.warning("segment.missing", segment=segment.id)
                self._missing.append(segment)

    async def _get(self, path: str) -> bytes:
        return await until_available("storage", lambda: self._context.storage.get(path))


def _end(segment: Segment) -> datetime:
    return segment.starts_at + timedelta(seconds=segment.duration)


def _told(error: Exception) -> str:
    return error.message if isinstance(error, AppError) else f"{type(error).__name__}: {error}"
