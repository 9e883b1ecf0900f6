"""Planned egresses put together: their repository and service, and the worker that runs them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.egress.drift.service import DriftLedger
from services.egress.egresses.engine_sync import EngineSync
from services.egress.egresses.repository import EgressRepository
from services.egress.egresses.runner import EgressRunner, Playable
from services.egress.egresses.service import EgressService
from services.egress.egresses.worker import EgressWorker, Observer
from services.egress.engines.build import EngineParts
from services.egress.sessions.service import Sessions
from shared.clock import Clock
from shared.egress.engine import EncodingOptions
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox


@dataclass(frozen=True)
class EgressParts:
    """`wake` is set when an egress may have become due."""

    engine: EngineParts
    repository: EgressRepository
    service: EgressService
    wake: asyncio.Event


def build_egresses(engine: EngineParts, mongo: Mongo, outbox: Outbox, clock: Clock) -> EgressParts:
    wake = asyncio.Event()
    repository = EgressRepository(mongo, outbox, clock)
    return EgressParts(engine, repository, EgressService(repository, wake, clock), wake)


def build_worker(
    egresses: EgressParts,
    sessions: Sessions,
    ledger: DriftLedger,
    clock: Clock,
    *,
    encoding: EncodingOptions,
    playable: Playable,
    observers: Sequence[Observer],
) -> EgressWorker:
    repository, engine = egresses.repository, egresses.engine

    async def live(session_id: str) -> bool:
        known = await sessions.find(session_id)
        return known is not None and not known.over

    sync = EngineSync(repository, engine.engine, ledger, clock, settles_after=engine.settles_after)
    runner = EgressRunner(
        repository, engine.engine, sync, clock, encoding=encoding, live=live, playable=playable
    )
    return EgressWorker(repository, runner, clock, observers=observers, wake=egresses.wake)
