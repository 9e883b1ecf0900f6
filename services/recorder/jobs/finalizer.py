"""The end of a job: its segments become the file that was asked for, and what it lacks is noted."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import av
import structlog

from services.recorder.jobs.context import JobContext
from services.recorder.media.mp4 import NoMedia, poster, write_mp4
from shared.egress.engine import EgressStatus
from shared.egress.jobs import Gap, Job, Result
from shared.egress.keys import poster_key
from shared.egress.problems import EgressProblem
from shared.egress.segments import Segment
from shared.errors import AppError, NotFound
from shared.runtime.backoff import until_available

log = structlog.get_logger(__name__)


class Finalizer:
    def __init__(self, job: Job, context: JobContext):
        self._job = job
        self._context = context
        self._lost: list[Segment] = []

    async def finalize(self, failure: str | None) -> Job:
        """The job as it ended; its file, if one was asked for, is stored. Waits while storage is away."""
        await self._context.uploader.done(self._job.key)
        segments = await self._segments()
        if not segments:
            status = EgressStatus.FAILED if failure else EgressStatus.ABORTED
            now = self._context.clock.now()
            return replace(
                self._job, status=status, error=failure or EgressProblem.NO_START_SIGNAL, ended_at=now
            )
        started_at = self._job.started_at or segments[0].starts_at
        last_end = segments[-1].starts_at + timedelta(seconds=segments[-1].duration)
        ended = replace(
            self._job,
            started_at=started_at,
            ended_at=self._job.ended_at or last_end,
            gaps=gaps(segments, started_at),
        )
        try:
            result = await self._store(segments)
        except (AppError, NoMedia, av.FFmpegError, OSError) as error:
            log.exception("job.file_failed")
            reason = error.message if isinstance(error, AppError) else f"{type(error).__name__}: {error}"
            return replace(ended, status=EgressStatus.FAILED, error=failure or reason)
        status = EgressStatus.FAILED if failure else EgressStatus.COMPLETE
        missing = sorted((*ended.gaps, *lost_gaps(segments, self._lost)), key=lambda gap: gap.after_seconds)
        return replace(ended, status=status, error=failure, result=result, gaps=tuple(missing))

    async def clean_up(self) -> None:
        """Remove the spool's files, and the stored segments of an egress that is a file alone.

        Those of a failed recording stay, so that its file can be made again.
        """
        await asyncio.to_thread(self._context.spool.forget, self._job.key)
        if self._job.segments_prefix is None and self._job.status is not EgressStatus.FAILED:
            paths = [segment.path for segment in await self._segments()]
            await until_available("storage", lambda: self._context.storage.delete(paths))
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
        loop = asyncio.get_running_loop()
        contents = [self._contents(part, loop) for part in parts(segments)]
        duration = await asyncio.to_thread(write_mp4, file, contents)
        size = file.stat().st_size
        await self._put(key, file)
        await self._store_poster(segments, key)
        file.unlink()
        log.info("job.file_stored", key=key, size=size, took=round(time.monotonic() - began, 2))
        return duration, size

    def _contents(self, segments: Sequence[Segment], loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
        """The stored segments one by one, for the thread that writes the file.

        A segment whose file is gone is left out: the rest is worth having.
        """
        for segment in segments:
            reading = asyncio.run_coroutine_threadsafe(self._get(segment.path), loop)
            try:
                yield reading.result()
            except NotFound:
                log.warning("segment.missing", segment=segment.id)
                self._lost.append(segment)

    async def _store_poster(self, segments: Sequence[Segment], key: str) -> None:
        """Of the middle: the beginning often shows nobody. A recording is complete without a poster."""
        try:
            middle = await self._get(segments[len(segments) // 2].path)
            image = await asyncio.to_thread(poster, middle)
            if image is not None:
                await self._put(poster_key(key), image)
        except (AppError, av.FFmpegError) as error:
            log.warning("job.no_poster", key=key, error=str(error))

    async def _segments(self) -> list[Segment]:
        return await until_available("segments", lambda: self._context.segments.of(self._job.key))

    async def _put(self, key: str, content: bytes | Path) -> None:
        await until_available("storage", lambda: self._context.storage.put(key, content))

    async def _get(self, key: str) -> bytes:
        return await until_available("storage", lambda: self._context.storage.get(key))


# Seconds. Less is what starting takes anyway, or a clock that was set.
_NO_GAP = 0.5
_SLOW_START = 5.0
_SAME = 0.01


def parts(segments: Sequence[Segment]) -> list[list[Segment]]:
    """The segments in order, in runs with continuous timestamps."""
    found: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda one: (one.epoch, one.n)):
        last = found[-1][-1] if found else None
        if last is None or segment.discontinuity or segment.epoch != last.epoch or segment.n != last.n + 1:
            found.append([])
        found[-1].append(segment)
    return found


def lost_gaps(segments: Sequence[Segment], lost: Sequence[Segment]) -> tuple[Gap, ...]:
    """What the file lacks because the files of the `lost` segments are gone: one gap for those in a row."""
    found: list[Gap] = []
    ids = {segment.id for segment in lost}
    played = 0.0
    for segment in segments:
        if segment.id in ids:
            after, before = played, 0.0
            if found and abs(found[-1].after_seconds + found[-1].seconds - played) < _SAME:
                last = found.pop()
                after, before = last.after_seconds, last.seconds
            found.append(Gap(after_seconds=round(after, 3), seconds=round(before + segment.duration, 3)))
        played += segment.duration
    return tuple(found)


def gaps(segments: Sequence[Segment], started_at: datetime | None) -> tuple[Gap, ...]:
    """What is missing: before the first part, if it began late, and between the parts."""
    found: list[Gap] = []
    played = 0.0
    last_end = started_at
    for number, part in enumerate(parts(segments)):
        least = _NO_GAP if number else _SLOW_START
        missing = (part[0].starts_at - last_end).total_seconds() if last_end else 0.0
        if missing > least:
            found.append(Gap(after_seconds=round(played, 3), seconds=round(missing, 3)))
        played += sum(segment.duration for segment in part)
        last_end = part[-1].starts_at + timedelta(seconds=part[-1].duration)
    return tuple(found)
