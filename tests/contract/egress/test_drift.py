"""The drift ledger keeps what it is told in one write, and finds it by session, kind and time."""

import asyncio

import pytest

from services.egress.drift.domain import Drift, DriftCorrection, DriftEntry, Kind
from services.egress.drift.repository import DriftRepository
from services.egress.drift.routes import DriftQuery
from services.egress.drift.service import DriftLedger
from shared.clock import SystemClock
from shared.contracts.reconciler_events import DriftRepaired
from shared.ids import new_id
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from tests.fakes.memory_bus import MemoryBus

SESSIONS = [new_id(), new_id()]


@pytest.fixture
async def ledger(mongo: Mongo, outbox: Outbox) -> DriftLedger:
    entries = DriftRepository(mongo, outbox, SystemClock())
    await entries.ensure_indexes()
    return DriftLedger(entries, SystemClock())


@pytest.fixture
async def entries(ledger: DriftLedger) -> list[DriftEntry]:
    """Two repairs in each of two sessions, then a third in the first; the oldest first."""
    for session in SESSIONS:
        await ledger.record([done(Kind.STALE_PARTICIPANT, session), done(Kind.ROOM_LOST, session)])
        await asyncio.sleep(0.005)  # Ids tell times in milliseconds.
    await ledger.record([done(Kind.STALE_PARTICIPANT, SESSIONS[0])])
    await ledger.record([])
    found, total = await ledger.list_newest()
    assert total == 5
    return found[::-1]


def done(kind: Kind, session: str) -> DriftCorrection:
    return DriftCorrection(Drift(kind, session, "believed", "observed"), "action")


async def ids(ledger: DriftLedger, **query: object) -> list[str]:
    asked = DriftQuery.model_validate(query)
    found, _ = await ledger.list_newest(
        asked.session_id, asked.kind, asked.since, skip=asked.skip, limit=asked.limit
    )
    return [one.id for one in found]


async def test_the_newest_come_first_page_by_page(ledger: DriftLedger, entries: list[DriftEntry]) -> None:
    newest = [one.id for one in reversed(entries)]
    assert await ids(ledger) == newest
    assert await ids(ledger, limit=2, page=2) == newest[2:4]
    assert await ids(ledger, limit=2, page=4) == []


async def test_filters_narrow_together(ledger: DriftLedger, entries: list[DriftEntry]) -> None:
    first, second = SESSIONS
    assert await ids(ledger, session_id=first) == [entries[4].id, *_ids(entries[1::-1])]
    assert len(await ids(ledger, kind="ghost")) == 3
    (lost,) = await ids(ledger, kind="room_lost", session_id=second)
    assert lost in _ids(entries[2:4])
    assert await ids(ledger, since=entries[4].at) == [entries[4].id]
    assert set(await ids(ledger, since=entries[2].at)) == set(_ids(entries[2:]))
    assert await ids(ledger, since=entries[2].at, kind="ghost", session_id=first) == [entries[4].id]


async def test_each_is_told(
    ledger: DriftLedger, entries: list[DriftEntry], outbox: Outbox, bus: MemoryBus
) -> None:
    await outbox.publish_once()
    told = [envelope.event for envelope in bus.published]
    assert sorted(one.drift_id for one in told if isinstance(one, DriftRepaired)) == sorted(_ids(entries))


def _ids(entries: list[DriftEntry]) -> list[str]:
    return [one.id for one in entries]
