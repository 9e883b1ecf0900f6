"""Keeping and showing the drift ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog
from aiohttp import web
from prometheus_client import Counter

from services.egress.drift.domain import Drift, Participant
from services.egress.drift.repository import DriftRepository
from services.egress.drift.schemas import DriftQuery
from services.egress.reconciler.domain import Done
from shared.clock import Clock
from shared.contracts.livekit_events import Connection
from shared.ids import new_id

log = structlog.get_logger(__name__)

REPAIRED = Counter("greenroom_drift_total", "Differences to LiveKit that were repaired", ["kind"])


class DriftLedger:
    def __init__(self, entries: DriftRepository, clock: Clock):
        self._entries = entries
        self._clock = clock

    async def record(self, repaired: Sequence[Done]) -> None:
        """Write down what was done, with the events that tell it: one write, however much it is."""
        now = self._clock.now()
        entries = [_entry(done, now) for done in repaired]
        await self._entries.add_many([(entry, entry.repaired()) for entry in entries])
        for entry in entries:
            REPAIRED.labels(entry.kind).inc()
            log.warning("drift.repaired", session_id=entry.session_id, kind=entry.kind, action=entry.action)

    async def page(self, query: DriftQuery) -> tuple[list[Drift], int]:
        kind = query.kind.value if query.kind else None
        return await self._entries.list_newest(
            query.session_id, kind, query.since, skip=query.skip, limit=query.limit
        )


def _entry(done: Done, now: datetime) -> Drift:
    repair = done.repair
    return Drift(
        id=new_id(),
        at=now,
        session_id=repair.session_id,
        kind=repair.kind.value,
        participant=_participant(repair.connection),
        believed=repair.believed,
        observed=repair.observed,
        action=done.action,
        last_seen_at=repair.last_seen_at,
        estimated=done.estimated,
    )


def _participant(connection: Connection | None) -> Participant | None:
    if connection is None:
        return None
    return Participant(
        connection.participant_sid, connection.identity, connection.user_id, connection.username
    )


DRIFT: Final = web.AppKey("drift", DriftLedger)
