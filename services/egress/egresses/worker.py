"""The worker that makes the engine run what is planned, and nothing else.

Each planned egress is one worker's at a time, and takes one step at a time, so that a start
never overtakes a stop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog
from prometheus_client import Histogram

from services.egress.egresses.domain import PlannedEgress
from services.egress.egresses.engine_sync import EngineSync
from services.egress.egresses.repository import EgressRepository
from services.egress.egresses.schedule import EgressStep, next_due, next_step
from services.egress.sessions.projection import EgressSessionProjection
from shared.clock import Clock
from shared.errors import AppError
from shared.runtime.log import bind_session
from shared.runtime.tasks import wait_at_most

log = structlog.get_logger(__name__)

STREAM_START = Histogram(
    "greenroom_stream_start_seconds",
    "From asking for a stream to having something to play",
    buckets=(1, 2, 3, 4, 5, 7.5, 10, 15, 30, 60, 300),
)

# Called with an egress as it is now, perhaps more than once with the same.
Observer = Callable[[PlannedEgress], Awaitable[None]]

# Whether the stream of the egress (session, key) has something to play.
Playable = Callable[[str, str], Awaitable[bool]]

_AT_ONCE = 32
_POLL = 0.5
_LATER = timedelta(seconds=1)


class EgressWorker:
    """`wake` is set when an egress may have become due."""

    def __init__(
        self,
        egresses: EgressRepository,
        sync: EngineSync,
        sessions: EgressSessionProjection,
        clock: Clock,
        *,
        playable: Playable,
        observers: Sequence[Observer],
        wake: asyncio.Event,
    ):
        self._egresses = egresses
        self._sync = sync
        self._sessions = sessions
        self._clock = clock
        self._playable = playable
        self._observers = observers
        self._wake = wake
        self._busy: set[str] = set()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                for key in await self._try_due():
                    self._busy.add(key)
                    tasks.create_task(self._work(key))
                if await wait_at_most(self._wake, _POLL):
                    self._wake.clear()

    async def run_once(self) -> None:
        """All that is due now, one step each. Raises `Unavailable`."""
        await asyncio.gather(*(self._work(key) for key in await self._due()))

    async def _due(self) -> list[str]:
        due = await self._egresses.due(self._clock.now(), _AT_ONCE + len(self._busy))
        return [key for key in due if key not in self._busy]

    async def _try_due(self) -> list[str]:
        try:
            return (await self._due())[: max(0, _AT_ONCE - len(self._busy))]
        except AppError as error:
            log.warning("egresses.waiting", code=error.code, error=error.message)
            return []

    async def _work(self, key: str) -> None:
        claimed = False
        try:
            claimed = await self._claimed(key)
        except AppError as error:
            log.warning("egresses.step_failed", egress=key, code=error.code, error=error.message)
        except Exception:
            # One failing egress must not stop the others; its claim expires.
            log.exception("egresses.step_failed", egress=key)
        finally:
            self._busy.discard(key)
            if claimed:
                self._wake.set()  # Its next step may be due immediately.

    async def _claimed(self, key: str) -> bool:
        """Take one step and notify the observers; False if another worker holds the egress."""
        claim = await self._egresses.claim(key, self._clock.now())
        if claim is None:
            return False
        try:
            planned = await self._egresses.get(key)
            bind_session(planned.session_id)
            egress = await self._take_step(planned)
            for observe in self._observers:
                await observe(egress)
            await self._egresses.change(
                key,
                lambda latest: latest.postpone(self._next_due(latest, observed=egress.version)),
            )
        except AppError:
            later = self._clock.now() + _LATER
            await self._egresses.change(key, lambda latest: latest.postpone(later))
            raise
        finally:
            await self._egresses.release(key, claim)
        return True

    async def _take_step(self, egress: PlannedEgress) -> PlannedEgress:
        step = next_step(egress, self._clock.now(), self._sync.checked_every)
        if step is EgressStep.START:
            if egress.expired(self._clock.now()) or not await self._needed(egress.session_id):
                return await self._egresses.change(egress.id, lambda one: one.cancel(self._clock.now()))
            return await self._sync.start(egress)
        if step is EgressStep.FIND:
            return await self._sync.find(egress)
        if step is EgressStep.STOP:
            return await self._sync.stop(egress)
        if step is EgressStep.STOP_AGAIN:
            return await self._sync.stop_again(egress)
        if step is EgressStep.CHECK:
            egress = await self._sync.check(egress)
        if egress.stream and not egress.playable and await self._playable(egress.session_id, egress.id):
            STREAM_START.observe((self._clock.now() - egress.created_at).total_seconds())
            return await self._egresses.change(egress.id, PlannedEgress.play)
        return egress

    def _next_due(self, egress: PlannedEgress, *, observed: int) -> datetime | None:
        return next_due(egress, self._clock.now(), self._sync.checked_every, observed=observed)

    async def _needed(self, session_id: str) -> bool:
        """Whether the session still needs egresses. Raises `Unavailable`."""
        session = await self._sessions.find(session_id)
        return session is not None and not session.over
