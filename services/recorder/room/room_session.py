"""Being in a job's room for as long as there is one: in again after every loss."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum

import structlog

from services.recorder.jobs.capture import Capture
from services.recorder.jobs.context import JobContext
from services.recorder.room.room_connection import JoinFailed, RoomConnection
from shared.egress.jobs import Job
from shared.errors import AppError

log = structlog.get_logger(__name__)

# How long LiveKit may not know a room before it is taken for gone, in seconds; none where it said so itself.
_ABSENT_SECONDS = 10.0
_AGAIN_SECONDS = 0.5


class RoomState(StrEnum):
    """Of a room: there, gone, or LiveKit is unavailable."""

    THERE = "there"
    GONE = "gone"
    UNKNOWN = "unknown"


class RoomSession:
    """`entered` is awaited when we are in for the first time."""

    def __init__(
        self, job: Job, context: JobContext, capture: Capture, entered: Callable[[], Awaitable[None]]
    ):
        self._job = job
        self._context = context
        self._filming = capture
        self._entered = entered
        self._absent_since: float | None = None

    async def last(self) -> None:
        """Return when the room is gone for good; to be cancelled for any other end."""
        closed = False
        while not await self._is_gone(closed=closed):
            closed = await self._visit()
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _visit(self) -> bool:
        """Be in the room once; whether LiveKit closed it."""
        visit = RoomConnection(self._filming.pipeline)
        try:
            await visit.enter(self._context.livekit_url, self._context.token(self._job))
            if not self._filming.started:
                self._filming.start()
                await self._entered()
            await visit.over.wait()
        except JoinFailed as error:
            log.warning("recorder.not_let_in", session=self._job.session_id, error=str(error))
        finally:
            await visit.leave()
        return visit.closed

    async def _is_gone(self, *, closed: bool) -> bool:
        """A room that LiveKit closed is gone at once, one that it does not know after a while."""
        now = asyncio.get_running_loop().time()
        presence = await self._presence()
        if presence is not RoomState.GONE:
            self._absent_since = None
            return False
        if self._absent_since is None:
            self._absent_since = now
        return closed or now - self._absent_since >= _ABSENT_SECONDS

    async def _presence(self) -> RoomState:
        name = self._job.session_id
        try:
            return RoomState.THERE if await self._context.livekit.list_rooms([name]) else RoomState.GONE
        except AppError as error:
            log.warning("recorder.livekit_unknown", session=name, error=error.message)
            return RoomState.UNKNOWN
