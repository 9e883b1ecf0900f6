"""The attendance service's composition root."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from services.attendance.attendances.repository import AttendanceRepository
from services.attendance.connections import routes as connection_routes
from services.attendance.connections.repository import ConnectionRepository
from services.attendance.connections.service import ConnectionService
from services.attendance.presence import consumers as presence_consumers
from services.attendance.presence import routes as presence_routes
from services.attendance.presence.leave_requests import LeaveRequestRepository
from services.attendance.presence.repository import PresenceRepository
from services.attendance.presence.service import PresenceService, SessionChanges
from services.attendance.recompute.queue import PendingSessionRepository, RecomputeQueue
from services.attendance.recompute.recompute import AttendanceRecompute
from services.attendance.recompute.worker import RecomputeWorker
from services.attendance.reports import routes as report_routes
from services.attendance.reports.export import ExportService
from services.attendance.reports.rows import AttendanceRows
from services.attendance.reports.service import ReportService
from services.attendance.reports.users import ProjectedUsers, user_group
from services.attendance.sessions.projection import AttendanceSessionProjection
from services.attendance.settings import AttendanceSettings
from services.attendance.viewer_counts.repository import ViewerCountRepository
from shared.bus.rabbit import RabbitBus
from shared.clock import Clock, SystemClock
from shared.http import Routes, service_app
from shared.http.app import AUDIT, INTERNAL_CALLS, REVOCATIONS
from shared.http.audit import AuditTrail
from shared.http.session_service import HttpRevocations, HttpSessionOwner, SessionOwner
from shared.ids import new_id
from shared.persistence.lifetime import DATABASE, Database, service_lifetime
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.runtime.tasks import SUPERVISOR

ALL_ROUTES: tuple[Routes, ...] = (presence_routes.routes, connection_routes.routes, report_routes.routes)


class AttendanceParts:
    """What is behind the routes and the bus."""

    def __init__(self, mongo: Mongo, outbox: Outbox, owner: SessionOwner, clock: Clock, replica: str):
        turns = asyncio.Lock()
        self.users = ProjectedUsers(mongo)
        self.presences = PresenceRepository(mongo, turns)
        self.person_connections = ConnectionRepository(mongo)
        self.attendances = AttendanceRepository(mongo, turns)
        self.viewer_counts = ViewerCountRepository(mongo, outbox, clock)
        self.leave_requests = LeaveRequestRepository(mongo, outbox, clock)
        self.pending = PendingSessionRepository(mongo)
        self.queue = RecomputeQueue(self.pending, clock, replica)
        self.sessions = AttendanceSessionProjection(mongo, owner, SessionChanges(self.presences, self.queue))
        self.presence = PresenceService(self.presences, self.leave_requests, self.sessions, self.queue, clock)
        self.connections = ConnectionService(self.sessions, self.person_connections)
        self.recompute = AttendanceRecompute(
            self.sessions, self.presences, self.attendances, self.viewer_counts, self.leave_requests
        )
        rows = AttendanceRows(self.presences, self.users, clock)
        self.reports = ReportService(
            self.sessions, self.presences, self.attendances, self.viewer_counts, rows, clock
        )
        self.exports = ExportService(self.sessions, self.attendances, rows)
        self.stores = (
            self.sessions,
            self.users,
            self.presences,
            self.person_connections,
            self.attendances,
            self.viewer_counts,
            self.leave_requests,
            self.pending,
        )
        self.groups = (
            presence_consumers.group(self.sessions, self.presence),
            user_group(self.users),
        )


def build(settings: AttendanceSettings) -> web.Application:
    clock = SystemClock()
    app = service_app("attendance", settings, ALL_ROUTES, clock)
    mongo = Mongo.from_uri(settings.mongodb_uri, expiry=settings.mongodb_expiry)
    bus = RabbitBus(settings.amqp_url, service="attendance")
    outbox = Outbox(bus, clock, source="/greenroom/attendance")
    owner = HttpSessionOwner(settings.session_url, app[INTERNAL_CALLS])
    parts = AttendanceParts(mongo, outbox, owner, clock, replica=new_id())
    worker = RecomputeWorker(
        parts.queue,
        parts.recompute,
        period=settings.count_every_seconds,
        adopt_after=settings.adopt_after_seconds,
    )
    trail = app[AUDIT] = AuditTrail(mongo, outbox, clock, service="attendance")
    app[DATABASE] = Database(mongo, [*parts.stores, trail])
    app[presence_routes.PRESENCE] = parts.presence
    app[connection_routes.CONNECTIONS] = parts.connections
    app[report_routes.REPORTS] = parts.reports
    app[report_routes.EXPORTS] = parts.exports

    async def own_lifetime(app: web.Application) -> AsyncIterator[None]:
        revocations = HttpRevocations(settings.session_url, app[INTERNAL_CALLS])
        app[SUPERVISOR].spawn("recompute worker", worker.run())
        app[SUPERVISOR].spawn("revocations", app[REVOCATIONS].follow(revocations))
        yield
        await owner.close()
        await revocations.close()

    app.cleanup_ctx.append(own_lifetime)
    app.cleanup_ctx.append(service_lifetime(bus=bus, outbox=outbox, groups=parts.groups))
    return app
