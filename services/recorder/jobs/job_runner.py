"""One job in the hands of this recorder, from being taken to its end."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars

from services.recorder.jobs.capture import Capture
from services.recorder.jobs.context import JobContext
from services.recorder.jobs.egress_info import webhook
from services.recorder.jobs.finalizer import Finalizer
from services.recorder.room.room_session import RoomSession
from shared.egress.engine import EgressStatus
from shared.egress.jobs import LEASE_SECONDS, Job, Wanted
from shared.egress.problems import EgressProblem
from shared.runtime import tracing
from shared.runtime.backoff import until_available
from shared.runtime.log import bind_session

log = structlog.get_logger(__name__)

# How long a recorder that shuts down tries to store what it has, in seconds.
_HAND_OVER_SECONDS = 4.0


class LeaseLost(Exception):
    """Another recorder has taken the job over."""


class JobRunner:
    """`run` is the job's life; the other methods tell it what happened meanwhile."""

    def __init__(self, job: Job, context: JobContext):
        self.job = job
        self._context = context
        self._renewed_at = context.clock.now()
        self._ending = asyncio.Event()
        self._handing_over = False
        self._lease_lost = False
        self._storage_full = False
        self._failure: str | None = None
        self.update(job)

    def update(self, job: Job) -> None:
        """The job was read again."""
        if job.wanted is Wanted.STOPPED:
            self._ending.set()

    def lease_renewed(self, at: datetime) -> None:
        """The lease was ours at this time."""
        self._renewed_at = at

    def lose_lease(self) -> None:
        """The other recorder began no sooner than our lease could expire: later segments are not ours."""
        self._lease_lost = True
        self._context.uploader.limit(self.job.key, self._lease_ends_at)
        self._ending.set()

    def fail(self, error: str) -> None:
        """End it now, as failed; the file is made of what there is."""
        self._failure = self._failure or error
        self._ending.set()

    def storage_is_full(self) -> None:
        """The storage has no room for what is still in the spool."""
        self._storage_full = True
        self.fail(EgressProblem.STORAGE_FULL)

    def hand_over(self) -> None:
        """Let another recorder go on."""
        self._handing_over = True
        self._ending.set()

    async def run(self) -> None:
        bind_contextvars(job=self.job.key)  # In all that is logged of it.
        bind_session(self.job.session_id)
        with tracing.continued("take job", self.job.traceparent):
            log.info("job.taken", epoch=self.job.epoch)
        try:
            if self.job.status is EgressStatus.STARTING:
                await self._report("egress_started", self.job)
            if self.job.status is not EgressStatus.ENDING and not self._ending.is_set():
                await self._record()
            await self._end()
        except LeaseLost:
            await self._give_up()

    async def _record(self) -> None:
        """Until the room is gone or the job is to end."""
        job, capture = self.job, Capture(self.job, self._context, self.fail)

        async def joined() -> None:
            if not capture.started:
                capture.start()
                await self._activate()

        session = RoomSession(
            job.session_id,
            f"{job.egress_id}:{job.epoch}",
            self._context.room_access,
            capture.pipeline,
            joined,
        )
        in_room = asyncio.create_task(session.run())
        ending = asyncio.create_task(self._ending.wait())
        try:
            await asyncio.wait({in_room, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # The capture ends before we leave the room: the recording must not show an empty stage.
            await capture.stop()
            ending.cancel()
            in_room.cancel()
            await asyncio.wait({in_room, ending})
        if not in_room.cancelled():
            in_room.result()

    async def _activate(self) -> None:
        if self.job.status is EgressStatus.STARTING:
            await self._change(status=EgressStatus.ACTIVE, started_at=self._context.clock.now())
            await self._report("egress_updated", self.job)

    async def _end(self) -> None:
        if self._lease_lost:
            raise LeaseLost
        if self._handing_over:
            return await self._release()
        if self._storage_full:
            await self._context.uploader.drop(self.job.key)
        if self.job.status is EgressStatus.ACTIVE:
            await self._change(status=EgressStatus.ENDING, ended_at=self._context.clock.now())
            await self._report("egress_updated", self.job)
        finished = await Finalizer(self.job, self._context).finalize(self._failure or self.job.error)
        await self._report("egress_ended", finished)
        await self._change(
            status=finished.status,
            error=finished.error,
            started_at=finished.started_at,
            ended_at=finished.ended_at,
            gaps=finished.gaps,
            result=finished.result,
        )
        await Finalizer(self.job, self._context).clean_up()
        log.info("job.ended", status=finished.status.value, error=finished.error)
        return None

    async def _report(self, event: str, job: Job) -> None:
        await self._context.webhooks.send(webhook(event, job, self._context.clock.now()))

    async def _change(self, **fields: Any) -> None:
        """Write fields of the job. Raises LeaseLost."""
        changed = await until_available("job", lambda: self._context.jobs.change(self.job, **fields))
        if changed is None:
            raise LeaseLost
        self.job = changed

    async def _release(self) -> None:
        """Store what there is if that is quick, and let go; who opens the spool next stores the rest."""
        try:
            async with asyncio.timeout(_HAND_OVER_SECONDS):
                await self._context.uploader.done(self.job.key)
                await until_available("job", lambda: self._context.jobs.release(self.job))
        except TimeoutError:
            log.warning("job.not_handed_over")

    async def _give_up(self) -> None:
        log.warning("job.lost", epoch=self.job.epoch)
        self.lose_lease()
        await self._context.uploader.drop(self.job.key, after=self._lease_ends_at)
        await self._context.uploader.done(self.job.key)
        self._context.uploader.unlimit(self.job.key)

    @property
    def _lease_ends_at(self) -> datetime:
        return self._renewed_at + timedelta(seconds=LEASE_SECONDS)
