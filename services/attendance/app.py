"""The attendance service's composition root."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from services.attendance.attendances.repository import AttendanceRepository
from services.attendance.audiences.changes import Changes
from services.attendance.audiences.derivation import Derivation
from services.attendance.audiences.marks import MarkRepository
from services.attendance.audiences.repository import AudienceRepository
from services.attendance.audiences.ticker import Ticker
from services.attendance.exports import routes as export_routes
from services.attendance.exports.service import EXPORTS, ExportService
from services.attendance.presence import consumers as presence_consumers
from services.attendance.presence import routes as presence_routes
from services.attendance.presence.leaves import LeaveRepository
from services.attendance.presence.repository import PresenceRepository
from services.attendance.presence.service import PRESENCE, PresenceService
from services.attendance.reports import routes as report_routes
from services.attendance.reports.rows import AttendanceRows
from services.attendance.reports.service import REPORTS, ReportService
from services.attendance.sessions.repository import SessionRepository
from services.attendance.sessions.service import SessionViews
from services.attendance.settings import AttendanceSettings
from services.attendance.users import consumers as user_consumers
from services.attendance.users.repository import UserRepository
from services.attendance.users.service import UserViews
from shared.bus.rabbit import RabbitBus
from shared.clock import SystemClock
from shared.http import Routes, service_app
from shared.http.app import INTERNAL_CALLS, REVOCATIONS
from shared.http.revocations import HttpRevocations
from shared.ids import new_id
from shared.persistence.lifetime import service_lifetime
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.runtime.supervisor import SUPERVISOR
from shared.session_projection.owner import HttpSessionOwner

TABLES: tuple[Routes, ...] = (presence_routes.routes, report_routes.routes, export_routes.routes)


def build(settings: AttendanceSettings) -> web.Application:
    clock = SystemClock()
    app = service_app("attendance", settings, TABLES, clock)

    mongo = Mongo.from_uri(settings.mongodb_uri, expiry=settings.mongodb_expiry)
    bus = RabbitBus(settings.amqp_url, service="attendance")
    outbox = Outbox(bus, clock, source="/greenroom/attendance")
    owner = HttpSessionOwner(settings.session_url, app[INTERNAL_CALLS])

    turns = asyncio.Lock()
    sessions = SessionRepository(mongo)
    users = UserRepository(mongo)
    presences = PresenceRepository(mongo, turns)
    attendances = AttendanceRepository(mongo, turns)
    audiences = AudienceRepository(mongo, outbox, clock)
    leaves = LeaveRepository(mongo, outbox, clock)
    marks = MarkRepository(mongo)

    changes = Changes(marks, clock, replica=new_id())
    session_views = SessionViews(sessions, presences, owner, changes)
    presence = PresenceService(presences, leaves, session_views, changes, clock)
    derivation = Derivation(sessions, presences, attendances, audiences, leaves)
    ticker = Ticker(
        changes, derivation, period=settings.count_every_seconds, adopt_after=settings.adopt_after_seconds
    )

    app[PRESENCE] = presence
    app[REPORTS] = ReportService(session_views, presences, attendances, audiences, users, clock)

    app[EXPORTS] = ExportService(session_views, attendances, AttendanceRows(presences, users, clock))

    async def own_lifetime(app: web.Application) -> AsyncIterator[None]:
        revocations = HttpRevocations(settings.session_url, app[INTERNAL_CALLS])
        app[SUPERVISOR].spawn("ticker", ticker.run())
        app[SUPERVISOR].spawn("revocations", app[REVOCATIONS].follow(revocations))
        yield
        await owner.close()
        await revocations.close()

    app.cleanup_ctx.append(own_lifetime)
    app.cleanup_ctx.append(
        service_lifetime(
            mongo=mongo,
            bus=bus,
            outbox=outbox,
            stores=[sessions, users, presences, attendances, audiences, leaves, marks],
            groups=[
                presence_consumers.group(session_views, presence),
                user_consumers.group(UserViews(users)),
            ],
        )
    )
    return app
