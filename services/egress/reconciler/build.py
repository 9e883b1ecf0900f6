"""The reconciler put together, and its life."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta

from aiohttp import web

from services.egress.drift.debouncer import Debouncer
from services.egress.drift.repository import DriftRepository
from services.egress.drift.service import DriftLedger
from services.egress.reconciler.connections import ExpectedConnections
from services.egress.reconciler.consumers import connection_group, session_group
from services.egress.reconciler.corrections import RoomCorrector
from services.egress.reconciler.heartbeat import Heartbeat, Outages
from services.egress.reconciler.participant_checks import ParticipantChecks, WebhookObserver
from services.egress.reconciler.room_check import NO_RULES, RoomCheck, RoomRules
from services.egress.reconciler.room_probe import RoomProbe
from services.egress.reconciler.rosters import RosterRepository
from services.egress.reconciler.service import Reconciler
from services.egress.reconciler.work_queue import RoomHintStore, RoomQueue
from services.egress.sessions.projection import EgressSessionProjection
from shared.bus import Group, OrderedGroup
from shared.clock import Clock
from shared.http.session_service import SessionOwner
from shared.ids import new_id
from shared.livekit import LiveKit
from shared.persistence.lease import Lease, LeaseStore
from shared.persistence.lifetime import Indexed
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.runtime.tasks import SUPERVISOR


class ReconcilerParts:
    """What the service's composition root needs of the reconciler. `steady`: seconds of a steady clock."""

    def __init__(
        self,
        livekit: LiveKit,
        mongo: Mongo,
        outbox: Outbox,
        owner: SessionOwner,
        clock: Clock,
        period: timedelta,
        steady: Callable[[], float] = time.monotonic,
        rules: RoomRules = NO_RULES,
    ):
        rosters = RosterRepository(mongo, outbox, clock)
        leases, hints = LeaseStore(mongo), RoomHintStore(mongo)
        self.sessions = EgressSessionProjection(mongo, owner, clock)
        self.connections = ExpectedConnections(mongo, clock)
        drift = DriftRepository(mongo, outbox, clock)
        self.ledger = DriftLedger(drift, clock)
        self.stores: Sequence[Indexed] = [self.sessions, self.connections, rosters, drift, leases, hints]
        self.groups: Sequence[Group | OrderedGroup] = [
            session_group(self.sessions),
            connection_group(self.connections),
        ]

        self.lease = Lease(leases, "reconciler", new_id(), steady)
        probe, outages = RoomProbe(livekit, clock), Outages()
        corrector = RoomCorrector(
            livekit,
            self.sessions,
            self.connections,
            rosters,
            self.ledger,
            self.lease,
            clock,
            rules.is_revoked,
        )
        rooms = RoomCheck(probe, Debouncer(), corrector, self.connections, rosters, outages, clock, rules)
        queue = RoomQueue(self.lease, hints, clock)
        self.reconciler = Reconciler(
            livekit, self.sessions, rooms, probe, self.lease, queue, clock, period=period
        )
        self.heartbeat = Heartbeat(livekit, self.lease, clock, outages, back=self.reconciler.recheck_all)
        self.participant_checks = ParticipantChecks(
            livekit, self.sessions, corrector, clock, queue.add, rules.is_revoked
        )
        self.webhook_observer = WebhookObserver(self.reconciler, self.participant_checks)

    async def lifetime(self, app: web.Application) -> AsyncIterator[None]:
        """A `cleanup_ctx`."""
        supervisor = app[SUPERVISOR]
        supervisor.spawn("reconciler lease", self.lease.run())
        supervisor.spawn("reconciler", self.reconciler.run())
        supervisor.spawn("livekit heartbeat", self.heartbeat.run())
        supervisor.spawn("participant checks", self.participant_checks.run())
        yield
        await self.lease.release()
