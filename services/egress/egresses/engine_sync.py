"""What is asked of the engine for planned egresses, and what it lists: webhooks may be lost."""

import asyncio
import math
from collections.abc import Iterable, Sequence

import structlog

from services.egress.drift.domain import Drift, DriftCorrection, Kind
from services.egress.drift.service import DriftLedger
from services.egress.egresses.domain import PlannedEgress
from services.egress.egresses.encoding import encoding_of
from services.egress.egresses.liveness import LivenessProbe
from services.egress.egresses.repository import EgressRepository
from services.egress.sessions.projection import EgressSessionProjection
from shared.clock import Clock
from shared.contracts.event import Event
from shared.egress.engine import EgressInfo, EgressStatus, EncodingOptions, Engine
from shared.errors import AppError, Unavailable
from shared.runtime import tracing

log = structlog.get_logger(__name__)


class EngineSync:
    """A start whose outcome is not known is looked up before there is another."""

    def __init__(
        self,
        egresses: EgressRepository,
        engine: Engine,
        liveness: LivenessProbe,
        sessions: EgressSessionProjection,
        ledger: DriftLedger,
        clock: Clock,
        encoding: EncodingOptions,
    ):
        self._egresses = egresses
        self._engine = engine
        self._sessions = sessions
        self._liveness = liveness
        self.checked_every = engine.checked_every
        self._ledger = ledger
        self._clock = clock
        self._encoding = encoding

    async def start(self, egress: PlannedEgress) -> PlannedEgress:
        encoding = await self._encoding_of(egress.session_id)
        starting = await self._egresses.change(egress.id, lambda one: one.request_start(self._clock.now()))
        if starting.asked_at is None:
            return starting  # It was stopped meanwhile.
        try:
            with tracing.continued("start egress", egress.traceparent):
                egress_id = await self._engine.start(starting.order(encoding))
        except AppError as error:
            known = not isinstance(error, Unavailable)
            reason = error.message
            log.warning("egress.not_started", egress=egress.id, known=known, error=reason)
            return await self._egresses.change(
                egress.id, lambda one: one.refused(reason, self._clock.now(), known=known)
            )
        log.info("egress.started", session_id=egress.session_id, egress=egress.id, egress_id=egress_id)
        return await self._egresses.change(egress.id, lambda one: one.accepted(egress_id, self._clock.now()))

    async def _encoding_of(self, session_id: str) -> EncodingOptions:
        """As its room and preset ask. Raises `Unavailable`."""
        session = await self._sessions.find(session_id)
        return self._encoding if session is None else encoding_of(session.state, self._encoding)

    async def stop(self, egress: PlannedEgress) -> PlannedEgress:
        stopping = await self._egresses.change(egress.id, lambda one: one.request_stop(self._clock.now()))
        if not stopping.over and stopping.egress_id is not None:
            await self._engine.stop(stopping.egress_id)
        return stopping

    async def stop_again(self, egress: PlannedEgress) -> PlannedEgress:
        """Stop one that was presumed dead: its worker may have been frozen. Apply its end once listed."""
        await self._egresses.change(egress.id, lambda one: one.request_stop(self._clock.now()))
        listed = await self._engine.list(egress.session_id)
        seen = next((one for one in listed if one.egress_id == egress.egress_id), None)
        if seen is not None and seen.status.over:
            return await self._egresses.change(egress.id, lambda one: one.observe(seen, self._clock.now()))
        if seen is not None:
            await self._stop_other(seen, "its worker was dead")
        return await self._egresses.get(egress.id)

    async def find(self, egress: PlannedEgress) -> PlannedEgress:
        """Look for the egress whose start had no answer."""
        seen, others = lookup(await self._engine.list(egress.session_id), egress.id)
        await self._stop_others(others)
        if seen is not None:
            return await self._egresses.change(egress.id, lambda one: one.observe(seen, self._clock.now()))
        return await self._egresses.change(
            egress.id, lambda one: one.not_found(self._clock.now(), self._engine.start_expires_after)
        )

    async def check(self, egress: PlannedEgress) -> PlannedEgress:
        """Compare with what the engine lists: webhooks may be lost."""
        seen, others = lookup(await self._engine.list(egress.session_id), egress.id)
        vitals, _ = await asyncio.gather(self._liveness.examine(egress), self._stop_others(others))
        drift = False

        def compare(one: PlannedEgress) -> Sequence[Event]:
            nonlocal drift
            now = self._clock.now()
            dead = not one.over and one.examined(vitals.progress, vitals.answers, now)
            drift = one.check(seen, now)
            if drift:
                one.observe(seen, now) if seen else one.lose(now)
            elif dead:
                one.bury(now)
            else:
                one.give_up(now)
            return []

        checked = await self._egresses.change(egress.id, compare)
        if drift or (checked.presumed and not egress.presumed):
            await self._record(egress, checked, seen)
        return checked

    async def _stop_others(self, others: Iterable[EgressInfo]) -> None:
        await asyncio.gather(*(self._stop_other(other, "another is planned") for other in others))

    async def _stop_other(self, other: EgressInfo, why: str) -> None:
        """A dead worker, whose egress LiveKit goes on listing, does not answer: it is asked again later."""
        try:
            await self._engine.stop(other.egress_id)
        except Unavailable:
            return
        if other.status is EgressStatus.ENDING:
            return
        observed = f"egress {other.egress_id} {other.status.value}, {why}"
        drift = Drift(Kind.EGRESS_LEFTOVER, other.session_id, "not planned", observed)
        action = f"egress {other.egress_id} asked to stop"
        await self._ledger.record([DriftCorrection(drift, action, estimated=False)])

    async def _record(self, before: PlannedEgress, after: PlannedEgress, seen: EgressInfo | None) -> None:
        """Times that the engine reported are exact; others are estimated."""
        observed = seen.status.value if seen else "the engine has none"
        drift = Drift(Kind.EGRESS, before.session_id, f"egress {before.status.value}", observed)
        reported = seen is not None and (seen.ended_at is not None or not seen.status.over)
        action = f"egress {before.egress_id} is presumed {after.status.value}"
        done = DriftCorrection(drift, action, estimated=after.presumed or not reported)
        await self._ledger.record([done])


def lookup(found: Iterable[EgressInfo], key: str) -> tuple[EgressInfo | None, list[EgressInfo]]:
    """The listed egress with this key, and any others with the same key, which should not be running.

    One that is not over is preferred, then the one that was started first.
    """
    mine = sorted((one for one in found if one.key == key), key=_preference)
    return (mine[0], [one for one in mine[1:] if not one.status.over]) if mine else (None, [])


def _preference(one: EgressInfo) -> tuple[bool, float, str]:
    return (one.status.over, one.started_at.timestamp() if one.started_at else math.inf, one.egress_id)
