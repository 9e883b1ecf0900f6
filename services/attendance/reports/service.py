"""Reports on who attended, for hosts."""

from typing import Final

from aiohttp import web

from services.attendance.attendances.domain import attend
from services.attendance.attendances.repository import AttendanceRepository
from services.attendance.audiences.repository import AudienceRepository
from services.attendance.presence.repository import PresenceRepository
from services.attendance.reports.access import require_host, sees_emails
from services.attendance.reports.rows import AttendanceRows
from services.attendance.reports.schemas import (
    AttendanceListResponse,
    AttendanceQuery,
    AttendanceStatsResponse,
)
from services.attendance.sessions.domain import SessionView
from services.attendance.sessions.service import SessionViews
from services.attendance.users.repository import UserRepository
from shared.access.identity import Caller
from shared.clock import Clock


class ReportService:
    def __init__(
        self,
        sessions: SessionViews,
        presences: PresenceRepository,
        attendances: AttendanceRepository,
        audiences: AudienceRepository,
        users: UserRepository,
        clock: Clock,
    ):
        self._sessions = sessions
        self._presences = presences
        self._attendances = attendances
        self._audiences = audiences
        self._rows = AttendanceRows(presences, users, clock)
        self._clock = clock

    async def list(
        self, session_id: str, caller: Caller, library_id: str | None, query: AttendanceQuery
    ) -> AttendanceListResponse:
        session = await self._sessions.get(session_id)
        require_host(session, caller, library_id)
        page = await self._attendances.page(session_id, query.q, skip=query.skip, limit=query.limit)
        rows = await self._rows.of(session, page, with_email=sees_emails(session, caller))
        return AttendanceListResponse(
            attendance=rows,
            total=await self._attendances.count(session_id, query.q),
            currently_watching=await self._watching(session),
        )

    async def stats(self, session_id: str, caller: Caller, library_id: str | None) -> AttendanceStatsResponse:
        session = await self._sessions.get(session_id)
        require_host(session, caller, library_id)
        presences = await self._presences.by_person(session_id, None)
        derived = [attend(user, mine, session) for user, mine in presences.items()]
        attendances = [one for one in derived if one is not None]
        now = self._clock.now()
        watched = sum(one.watched_ms_until(now) for one in attendances)
        audience = await self._audiences.seen(session_id)
        return AttendanceStatsResponse(
            total_attendees=len(attendances),
            currently_watching=sum(one.present for one in attendances),
            peak_viewers=audience.max_viewers,
            average_watch_duration=watched // 1000 // max(1, len(attendances)),
        )

    async def _watching(self, session: SessionView) -> int:
        if session.over:
            return 0
        return await self._presences.count_watching(session.id, without=session.staff)


REPORTS: Final = web.AppKey("reports", ReportService)
