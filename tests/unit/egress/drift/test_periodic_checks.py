"""Periodic checks correct under the lease alone."""

from datetime import timedelta

from services.egress.drift.domain import Drift, DriftCorrection, Kind
from services.egress.drift.periodic_checks import PeriodicChecks
from tests.unit.egress.reconciler.fixture import Replica


class Frozen:
    """Its replica is frozen for ten seconds while it compares, as long as `frozen`."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.frozen = True
        self.corrected = 0

    async def differences(self) -> list[Drift]:
        if self.frozen:
            self.replica.clock.advance(seconds=10)
        return [Drift(Kind.INGRESS_LEFTOVER, "session", "session over", "ingress IN_1", subject_id="IN_1")]

    async def correct(self, drift: Drift) -> DriftCorrection | None:
        self.corrected += 1
        return None


async def test_a_holder_that_was_frozen_corrects_nothing() -> None:
    replica = Replica()
    check = Frozen(replica)
    checks = PeriodicChecks(
        [check], replica.parts.lease, replica.parts.ledger, replica.clock, period=timedelta(seconds=10)
    )
    for _ in range(3):
        await replica.parts.lease.run_once()
        await checks.run_once()
    assert check.corrected == 0
    check.frozen = False
    await replica.parts.lease.run_once()
    await checks.run_once()
    assert check.corrected == 1
