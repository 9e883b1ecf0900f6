"""The reconciler put together, and its life."""

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from services.egress.drift.debouncer import Debouncer
from services.egress.drift.repository import DriftRepository
from services.egress.drift.service import DriftLedger
from services.egress.reconciler.connections import ExpectedConnections
from services.egress.reconciler.consumers import connection_group
from services.egress.reconciler.corrections import RoomCorrector
from services.egress.reconciler.heartbeat import Heartbeat, Outages
from services.egress.reconciler.join_checks import JoinChecks, WebhookObserver
from services.egress.reconciler.room_check import RoomCheck
from services.egress.reconciler.room_probe import RoomProbe
from services.egress.reconciler.rosters import RosterRepository
from services.egress.reconciler.service import Reconciler
from services.egress.reconciler.work_queue import NoticeStore, RoomQueue
from services.egress.sessions.consumers import session_group
from services.egress.sessions.service import KnownSessions
from shared.bus import Group, OrderedGroup
from shared.clock import Clock
from shared.ids import new_id
from shared.livekit import LiveKit
from shared.persistence.lease import Lease, LeaseStore
from shared.persistence.lifetime import Indexed
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.runtime.supervisor import SUPERVISOR
from shared.session_projection.owner import SessionOwner


@dataclass(frozen=True)
class ReconcilerParts:
    """What the service's composition root needs of the reconciler."""

    reconciler: Reconciler
    lease: Lease
    heartbeat: Heartbeat
    join_checks: JoinChecks
    ledger: DriftLedger
    sessions: KnownSessions
    connections: ExpectedConnections
    stores: tuple[Indexed, ...]
    groups: tuple[Group | OrderedGroup, ...]

    @property
    def webhook_observer(self) -> WebhookObserver:
        return WebhookObserver(self.reconciler, self.join_checks)

    async def lifetime(self, app: web.Application) -> AsyncIterator[None]:
        """A `cleanup_ctx`."""
        supervisor = app[SUPERVISOR]
        supervisor.spawn("reconciler lease", self.lease.run())
        supervisor.spawn("reconciler", self.reconciler.run())
        supervisor.spawn("livekit heartbeat", self.heartbeat.run())
        supervisor.spawn("join checks", self.join_checks.run())
        yield
        await self.lease.release()


def build_reconciler(
    livekit: LiveKit,
    mongo: Mongo,
    outbox: Outbox,
    owner: SessionOwner,
    clock: Clock,
    period: timedelta,
    steady: Callable[[], float] = time.monotonic,
) -> ReconcilerParts:
    sessions = KnownSessions(mongo, owner, clock)
    connections = ExpectedConnections(mongo, clock)
    rosters = RosterRepository(mongo, outbox, clock)
    entries = DriftRepository(mongo, outbox, clock)
    leases, notices = LeaseStore(mongo), NoticeStore(mongo)

    ledger = DriftLedger(entries, clock)
    lease = Lease(leases, "reconciler", new_id(), steady)
    probe, outages = RoomProbe(livekit, clock), Outages()
    corrector = RoomCorrector(livekit, sessions, connections, rosters, ledger, lease, clock)
    rooms = RoomCheck(probe, Debouncer(), corrector, connections, rosters, outages, clock)
    queue = RoomQueue(lease, notices, clock)
    reconciler = Reconciler(livekit, sessions, rooms, probe, lease, queue, clock, period=period)
    return ReconcilerParts(
        reconciler=reconciler,
        lease=lease,
        heartbeat=Heartbeat(livekit, lease, clock, outages, back=reconciler.recheck_all),
        join_checks=JoinChecks(sessions, corrector, clock, check_room=reconciler.check_room),
        ledger=ledger,
        sessions=sessions,
        connections=connections,
        stores=(sessions, connections, rosters, entries, leases, notices),
        groups=(session_group(sessions), connection_group(connections)),
    )
