"""One job in the hands of this recorder, from its taking to its end."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import structlog

from services.recorder.jobs.capture import Capture
from services.recorder.jobs.context import JobContext
from services.recorder.jobs.egress_info import webhook
from services.recorder.jobs.finalizer import Finalizer
from services.recorder.room.room_session import RoomSession
from shared.egress.engine import EgressStatus
from shared.egress.jobs import PATIENCE_SECONDS, Job, Wanted
from shared.runtime.backoff import until_available

log = structlog.get_logger(__name__)

# How long a leaving recorder tries to store what it has, in seconds.
_HAND_OVER_SECONDS = 4.0


class LeaseLost(Exception):
    """Another recorder has taken the job over."""


class JobRunner:
    """`look`, `beaten`, `lose` and `hand_over` tell it what happened; `run` is its life."""

    def __init__(self, job: Job, context: JobContext):
        self.job = job
        self._context = context
        self._beaten_at = context.clock.now()
        self._ending = asyncio.Event()
        self._leaving = False
        self._lost = False
        self._full = False
        self._failure: str | None = None
        self.look(job)

    def look(self, job: Job) -> None:
        """The job was read anew."""
        if job.wanted is Wanted.STOPPED:
            self._ending.set()

    def beaten(self, at: datetime) -> None:
        """The lease was ours at this time."""
        self._beaten_at = at

    def lose(self) -> None:
        """The other began no sooner than our lease could be thought dead: what is later is not ours."""
        self._lost = True
        self._context.uploader.limit(self.job.key, self._last_of_ours)
        self._ending.set()

    def fail(self, error: str) -> None:
        """End it now, as failed; what there is becomes the file."""
        self._failure = self._failure or error
        self._ending.set()

    def full(self) -> None:
        """The storage has no room for what is still here."""
        self._full = True
        self.fail("The storage is full")

    def hand_over(self) -> None:
        """Let another recorder go on."""
        self._leaving = True
        self._ending.set()

    async def run(self) -> None:
        log.info("job.taken", job=self.job.key, session=self.job.session_id, epoch=self.job.epoch)
        try:
            if self.job.status is EgressStatus.STARTING:
                await self._tell("egress_started", self.job)
            if self.job.status is not EgressStatus.ENDING and not self._ending.is_set():
                await self._film()
            await self._end()
        except LeaseLost:
            await self._give_up()

    async def _film(self) -> None:
        capture = Capture(self.job, self._context, self.fail)
        stay = asyncio.create_task(RoomSession(self.job, self._context, capture, self._active).last())
        ending = asyncio.create_task(self._ending.wait())
        try:
            await asyncio.wait({stay, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # The film ends before we leave: nobody is to see us go.
            await capture.stop()
            ending.cancel()
            stay.cancel()
            await asyncio.wait({stay, ending})
        if not stay.cancelled():
            stay.result()

    async def _active(self) -> None:
        if self.job.status is EgressStatus.STARTING:
            await self._change(status=EgressStatus.ACTIVE, started_at=self._context.clock.now())
            await self._tell("egress_updated", self.job)

    async def _end(self) -> None:
        if self._lost:
            raise LeaseLost
        if self._leaving:
            return await self._release()
        if self._full:
            await self._context.uploader.drop(self.job.key)
        if self.job.status is EgressStatus.ACTIVE:
            await self._change(status=EgressStatus.ENDING, ended_at=self._context.clock.now())
            await self._tell("egress_updated", self.job)
        finished = await Finalizer(self.job, self._context).finish(self._failure or self.job.error)
        await self._tell("egress_ended", finished)
        await self._change(
            status=finished.status,
            error=finished.error,
            started_at=finished.started_at,
            ended_at=finished.ended_at,
            gaps=finished.gaps,
            result=finished.result,
        )
        await Finalizer(self.job, self._context).clear()
        log.info("job.ended", job=self.job.key, status=finished.status.value, error=finished.error)
        return None

    async def _tell(self, event: str, job: Job) -> None:
        await self._context.reports.tell(webhook(event, job, self._context.clock.now()))

    async def _change(self, **fields: Any) -> None:
        """Write fields of the job. Raises LeaseLost."""
        changed = await until_available("job", lambda: self._context.jobs.change(self.job, **fields))
        if changed is None:
            raise LeaseLost
        self.job = changed

    async def _release(self) -> None:
        """Store what there is if that is quick, and let go; the rest waits for who opens the spool next."""
        try:
            async with asyncio.timeout(_HAND_OVER_SECONDS):
                await self._context.uploader.done(self.job.key)
                await until_available("job", lambda: self._context.jobs.release(self.job))
        except TimeoutError:
            log.warning("job.not_handed_over", job=self.job.key)

    async def _give_up(self) -> None:
        log.warning("job.lost", job=self.job.key, epoch=self.job.epoch)
        self.lose()
        await self._context.uploader.drop(self.job.key, after=self._last_of_ours)
        await self._context.uploader.done(self.job.key)
        self._context.uploader.unlimit(self.job.key)

    @property
    def _last_of_ours(self) -> datetime:
        return self._beaten_at + timedelta(seconds=PATIENCE_SECONDS)
