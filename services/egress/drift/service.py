"""The drift ledger: what differed from LiveKit, and was corrected."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from services.egress.drift.domain import DriftCorrection, DriftEntry, Kind
from services.egress.drift.repository import DriftRepository
from shared.clock import Clock
from shared.ids import new_id
from shared.runtime.metrics import LabelledCounter

log = structlog.get_logger(__name__)

REPAIRED = LabelledCounter("greenroom_drift", "Differences to LiveKit that were repaired", "kind", Kind)


class DriftLedger:
    def __init__(self, entries: DriftRepository, clock: Clock):
        self._entries = entries
        self._clock = clock

    async def record(self, corrections: Sequence[DriftCorrection]) -> None:
        """Store what was corrected, with its events: one write, however much it is."""
        now = self._clock.now()
        entries = [DriftEntry.of(correction, new_id(), now) for correction in corrections]
        await self._entries.add_many([(entry, entry.corrected()) for entry in entries])
        for entry in entries:
            REPAIRED.counts[entry.kind] += 1
            log.warning("drift.repaired", session_id=entry.session_id, kind=entry.kind, action=entry.action)

    async def count(self, session_id: str, kind: Kind, user_id: str, *, action: str, most: int) -> int:
        """How often this was done about a person in a session for this kind, counted up to `most`."""
        return await self._entries.count(session_id, kind, user_id, action=action, most=most)

    async def list_newest(
        self,
        session_id: str | None = None,
        kind: Kind | None = None,
        since: datetime | None = None,
        *,
        skip: int = 0,
        limit: int = 100,
    ) -> tuple[list[DriftEntry], int]:
        """One page of the entries that match, the newest first, and how many there are."""
        return await self._entries.list_newest(session_id, kind, since, skip=skip, limit=limit)
