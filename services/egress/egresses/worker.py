"""The worker that makes the engine run what is planned, and nothing else.

Each planned egress is one worker's at a time, and takes one step at a time: so a stop cannot be overtaken
by a start, and a start whose outcome is not known is looked for before there is another.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog

from services.egress.drift.service import DriftLedger
from services.egress.egresses.bell import Bell
from services.egress.egresses.domain import PlannedEgress
from services.egress.egresses.engine_sync import EngineSync
from services.egress.egresses.repository import EgressRepository
from services.egress.egresses.schedule import EgressStep, next_due, next_step
from shared.clock import Clock
from shared.egress.engine import EncodingOptions, Engine
from shared.errors import AppError, Unavailable

log = structlog.get_logger(__name__)

# Told of an egress as it is now; they may be told the same again.
Observer = Callable[[PlannedEgress], Awaitable[None]]
# Whether the session still needs egresses.
StillLive = Callable[[str], Awaitable[bool]]
Playable = Callable[[PlannedEgress], Awaitable[bool]]

_AT_ONCE = 32
_POLL = 0.5
_LATER = timedelta(seconds=1)


class EgressWorker:
    def __init__(
        self,
        egresses: EgressRepository,
        engine: Engine,
        ledger: DriftLedger,
        clock: Clock,
        *,
        encoding: EncodingOptions,
        settles_after: timedelta,
        live: StillLive,
        playable: Playable,
        observers: Sequence[Observer],
        bell: Bell,
    ):
        """`settles_after` a start without an answer it cannot come up any more, as far as the engine goes."""
        self._egresses = egresses
        self._engine = engine
        self._sync = EngineSync(egresses, engine, ledger, clock, settles_after=settles_after)
        self._clock = clock
        self._encoding = encoding
        self._live = live
        self._playable = playable
        self._observers = observers
        self._bell = bell
        self._busy: set[str] = set()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                for key in await self._try_due():
                    self._busy.add(key)
                    tasks.create_task(self._work(key))
                await self._bell.wait(_POLL)

    async def work(self) -> None:
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
            # One that cannot be brought on must not end all others; its claim ends by itself.
            log.exception("egresses.step_failed", egress=key)
        finally:
            self._busy.discard(key)
            if claimed:
                self._bell.ring()  # Its next step may be due at once.

    async def _claimed(self, key: str) -> bool:
        """Take one step, and tell what came of it; False where another worker is at it."""
        claim = await self._egresses.claim(key, self._clock.now())
        if claim is None:
            return False
        try:
            egress = await self._take_step(await self._egresses.get(key))
            for observe in self._observers:
                await observe(egress)
            await self._egresses.change(
                key, lambda latest: latest.postpone(next_due(latest, self._clock.now(), told=egress.version))
            )
        except AppError:
            later = self._clock.now() + _LATER
            await self._egresses.change(key, lambda latest: latest.postpone(later))
            raise
        finally:
            await self._egresses.release(key, claim)
        return True

    async def _take_step(self, egress: PlannedEgress) -> PlannedEgress:
        step = next_step(egress, self._clock.now())
        if step is EgressStep.START:
            return await self._start(egress)
        if step is EgressStep.FIND:
            return await self._sync.find(egress)
        if step is EgressStep.STOP:
            return await self._stop(egress)
        if step is EgressStep.CHECK:
            egress = await self._sync.check(egress)
        if egress.stream and not egress.playable and await self._playable(egress):
            return await self._egresses.change(egress.id, PlannedEgress.play)
        return egress

    async def _start(self, egress: PlannedEgress) -> PlannedEgress:
        if egress.expired(self._clock.now()) or not await self._live(egress.session_id):
            return await self._egresses.change(egress.id, lambda one: one.unwant(self._clock.now()))
        asking = await self._egresses.change(egress.id, lambda one: one.asking(self._clock.now()))
        if asking.asked_at is None:
            return asking  # It was stopped meanwhile.
        try:
            egress_id = await self._engine.start(asking.order(self._encoding))
        except AppError as error:
            known = not isinstance(error, Unavailable)
            reason = error.message
            log.warning("egress.not_started", egress=egress.id, known=known, error=reason)
            return await self._egresses.change(
                egress.id, lambda one: one.refused(reason, self._clock.now(), known=known)
            )
        log.info("egress.started", session_id=egress.session_id, egress=egress.id, egress_id=egress_id)
        return await self._egresses.change(egress.id, lambda one: one.accepted(egress_id, self._clock.now()))

    async def _stop(self, egress: PlannedEgress) -> PlannedEgress:
        stopping = await self._egresses.change(egress.id, lambda one: one.stopping(self._clock.now()))
        if stopping.over or stopping.egress_id is None:
            return stopping
        await self._engine.stop(stopping.egress_id)
        return stopping
