"""The next step of a planned egress, carried out in the engine."""

from collections.abc import Awaitable, Callable

import structlog

from services.egress.egresses.domain import PlannedEgress
from services.egress.egresses.engine_sync import EngineSync
from services.egress.egresses.repository import EgressRepository
from services.egress.egresses.schedule import EgressStep, next_step
from shared.clock import Clock
from shared.egress.engine import EncodingOptions, Engine
from shared.errors import AppError, Unavailable

log = structlog.get_logger(__name__)

# Whether the session still needs egresses.
StillLive = Callable[[str], Awaitable[bool]]
# Whether the stream of the egress (session, key) has something to play.
Playable = Callable[[str, str], Awaitable[bool]]


class EgressRunner:
    """A start whose outcome is not known is looked up before there is another."""

    def __init__(
        self,
        egresses: EgressRepository,
        engine: Engine,
        sync: EngineSync,
        clock: Clock,
        *,
        encoding: EncodingOptions,
        live: StillLive,
        playable: Playable,
    ):
        self._egresses = egresses
        self._engine = engine
        self._sync = sync
        self._clock = clock
        self._encoding = encoding
        self._live = live
        self._playable = playable

    async def take_step(self, egress: PlannedEgress) -> PlannedEgress:
        """Do what is due next; the egress as it is then. Raises `Unavailable`."""
        step = next_step(egress, self._clock.now())
        if step is EgressStep.START:
            return await self._start(egress)
        if step is EgressStep.FIND:
            return await self._sync.find(egress)
        if step is EgressStep.STOP:
            return await self._stop(egress)
        if step is EgressStep.CHECK:
            egress = await self._sync.check(egress)
        if egress.stream and not egress.playable and await self._playable(egress.session_id, egress.id):
            return await self._egresses.change(egress.id, PlannedEgress.play)
        return egress

    async def _start(self, egress: PlannedEgress) -> PlannedEgress:
        if egress.expired(self._clock.now()) or not await self._live(egress.session_id):
            return await self._egresses.change(egress.id, lambda one: one.unwant(self._clock.now()))
        starting = await self._egresses.change(egress.id, lambda one: one.request_start(self._clock.now()))
        if starting.asked_at is None:
            return starting  # It was stopped meanwhile.
        try:
            egress_id = await self._engine.start(starting.order(self._encoding))
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
        stopping = await self._egresses.change(egress.id, lambda one: one.request_stop(self._clock.now()))
        if not stopping.over and stopping.egress_id is not None:
            await self._engine.stop(stopping.egress_id)
        return stopping
