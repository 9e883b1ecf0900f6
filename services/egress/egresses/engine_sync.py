"""What the engine itself says of planned egresses, for webhooks may be lost and starts go unanswered."""

from collections.abc import Sequence
from datetime import timedelta

from services.egress.drift.service import DriftLedger
from services.egress.egresses.domain import PlannedEgress
from services.egress.egresses.listed import ours
from services.egress.egresses.repository import EgressRepository
from services.egress.reconciler.domain import Done, Kind, Repair
from shared.clock import Clock
from shared.contracts.event import Event
from shared.egress.engine import EgressInfo, Engine


class EngineSync:
    """`settles_after` a start without an answer it cannot come up any more, as far as the engine goes."""

    def __init__(
        self,
        egresses: EgressRepository,
        engine: Engine,
        ledger: DriftLedger,
        clock: Clock,
        *,
        settles_after: timedelta,
    ):
        self._egresses = egresses
        self._engine = engine
        self._ledger = ledger
        self._clock = clock
        self._settles_after = settles_after

    async def find(self, egress: PlannedEgress) -> PlannedEgress:
        """Look for the egress whose start had no answer."""
        seen, others = ours(await self._engine.list(egress.session_id), egress.id)
        await self._stop_others(others)
        if seen is not None:
            return await self._egresses.change(egress.id, lambda one: one.observe(seen, self._clock.now()))
        return await self._egresses.change(
            egress.id, lambda one: one.not_found(self._clock.now(), self._settles_after)
        )

    async def check(self, egress: PlannedEgress) -> PlannedEgress:
        """Compare with what the engine lists: webhooks may be lost."""
        seen, others = ours(await self._engine.list(egress.session_id), egress.id)
        await self._stop_others(others)
        drift = False

        def compare(one: PlannedEgress) -> Sequence[Event]:
            nonlocal drift
            now = self._clock.now()
            drift = one.check(seen, now)
            if drift:
                one.observe(seen, now) if seen else one.lose(now)
            else:
                one.give_up(now)
            return []

        checked = await self._egresses.change(egress.id, compare)
        if drift or (checked.presumed and not egress.presumed):
            await self._record(egress, checked, seen)
        return checked

    async def _stop_others(self, others: Sequence[EgressInfo]) -> None:
        for other in others:
            await self._engine.stop(other.egress_id)
            observed = f"egress {other.egress_id} {other.status.value}, another is planned"
            repair = Repair(Kind.EGRESS_LEFTOVER, other.session_id, "not planned", observed)
            await self._ledger.record(
                [Done(repair, f"egress {other.egress_id} told to stop", estimated=False)]
            )

    async def _record(self, before: PlannedEgress, after: PlannedEgress, seen: EgressInfo | None) -> None:
        """What the engine told itself is exact; of an end that it never told the time is a guess."""
        observed = seen.status.value if seen else "the engine has none"
        repair = Repair(Kind.EGRESS, before.session_id, f"egress {before.status.value}", observed)
        told = seen is not None and (seen.ended_at is not None or not seen.status.over)
        action = f"egress {before.egress_id} is taken for {after.status.value}"
        done = Done(repair, action, estimated=after.presumed or not told)
        await self._ledger.record([done])
