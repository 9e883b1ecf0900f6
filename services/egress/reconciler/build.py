"""The reconciler put together, and its life."""

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from services.egress.drift.repository import DriftRepository
from services.egress.drift.service import DriftLedger
from services.egress.reconciler.agenda import Agenda, NoticeStore
from services.egress.reconciler.arrivals import Arrivals
from services.egress.reconciler.connections.repository import ConnectionRepository
from services.egress.reconciler.connections.service import Connections
from services.egress.reconciler.consumers import connection_group, session_group
from services.egress.reconciler.doubts import Doubts
from services.egress.reconciler.heartbeat import Heartbeat, Outages
from services.egress.reconciler.looker import Looker
from services.egress.reconciler.repairs import Repairer
from services.egress.reconciler.rooms import RoomCheck
from services.egress.reconciler.rosters.repository import RosterRepository
from services.egress.reconciler.service import Reconciler
from services.egress.reconciler.sessions.repository import SessionRepository
from services.egress.reconciler.sessions.service import Sessions
from services.egress.reconciler.watching import Watch
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
    arrivals: Arrivals
    watch: Watch
    ledger: DriftLedger
    sessions: Sessions
    connections: Connections
    stores: tuple[Indexed, ...]
    groups: tuple[Group | OrderedGroup, ...]
    lifetime: Callable[[web.Application], AsyncIterator[None]]


def build_reconciler(
    livekit: LiveKit,
    mongo: Mongo,
    outbox: Outbox,
    owner: SessionOwner,
    clock: Clock,
    period: timedelta,
    steady: Callable[[], float] = time.monotonic,
) -> ReconcilerParts:
    session_repository = SessionRepository(mongo, clock)
    connection_repository = ConnectionRepository(mongo, clock)
    rosters = RosterRepository(mongo, outbox, clock)
    entries = DriftRepository(mongo, outbox, clock)
    leases = LeaseStore(mongo)
    notices = NoticeStore(mongo)

    sessions = Sessions(session_repository, owner)
    connections = Connections(connection_repository)
    ledger = DriftLedger(entries, clock)
    looker = Looker(livekit, clock)
    repairer = Repairer(livekit, sessions, connection_repository, rosters, ledger, clock)
    outages = Outages()
    rooms = RoomCheck(looker, Doubts(), repairer, connection_repository, rosters, outages, clock)
    lease = Lease(leases, "reconciler", new_id(), steady)
    agenda = Agenda(lease, notices, clock)
    reconciler = Reconciler(livekit, sessions, rooms, looker, lease, agenda, clock, period=period)
    heartbeat = Heartbeat(livekit, lease, clock, outages, back=reconciler.start_over)
    arrivals = Arrivals(sessions, repairer, clock, again=reconciler.hasten)

    async def lifetime(app: web.Application) -> AsyncIterator[None]:
        supervisor = app[SUPERVISOR]
        supervisor.spawn("reconciler lease", lease.run())
        supervisor.spawn("reconciler", reconciler.run())
        supervisor.spawn("livekit heartbeat", heartbeat.run())
        supervisor.spawn("arrivals", arrivals.run())
        yield
        await lease.release()

    return ReconcilerParts(
        reconciler=reconciler,
        lease=lease,
        arrivals=arrivals,
        watch=Watch(reconciler, arrivals),
        ledger=ledger,
        sessions=sessions,
        connections=connections,
        stores=(session_repository, connection_repository, rosters, entries, leases, notices),
        groups=(session_group(sessions), connection_group(connections)),
        lifetime=lifetime,
    )
