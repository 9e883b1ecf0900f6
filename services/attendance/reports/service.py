"""Reports on who attended, for hosts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from aiohttp import web

from services.attendance.attendances.domain import Attendance, milliseconds_of
from services.attendance.attendances.repository import AttendanceRepository
from services.attendance.audiences.repository import AudienceRepository
from services.attendance.reports.access import require_host
from services.attendance.reports.schemas import (
    AttendanceListResponse,
    AttendanceQuery,
    AttendanceResponse,
    AttendanceStatsResponse,
)
from services.attendance.sessions.service import SessionViews
from services.attendance.users.repository import Person, UserRepository
from shared.clock import Clock
from shared.identity import Caller


class ReportService:
    def __init__(
        self,
        sessions: SessionViews,
        attendances: AttendanceRepository,
        audiences: AudienceRepository,
        users: UserRepository,
        clock: Clock,
    ):
        self._sessions = sessions
        self._attendances = attendances
        self._audiences = audiences
        self._users = users
        self._clock = clock

    async def list(
        self, session_id: str, caller: Caller, library_id: str | None, query: AttendanceQuery
    ) -> AttendanceListResponse:
        session = await self._sessions.get(session_id)
        require_host(session, caller, library_id)
        page = await self._attendances.page(session_id, query.q, skip=query.skip, limit=query.limit)
        total = await self._attendances.count(session_id, query.q)
        present = await self._attendances.count_present(session_id)
        rows = await self._rows(page, with_email=caller.organization_id == session.organization_id)
        return AttendanceListResponse(attendance=rows, total=total, currently_watching=present)

    async def stats(self, session_id: str, caller: Caller, library_id: str | None) -> AttendanceStatsResponse:
        session = await self._sessions.get(session_id)
        require_host(session, caller, library_id)
        totals = await self._attendances.totals(session_id)
        audience = await self._audiences.seen(session_id)
        now = milliseconds_of(self._clock.now())
        watched_ms = totals.watched_ms + totals.present * now - totals.open_since_ms
        return AttendanceStatsResponse(
            total_attendees=totals.attendees,
            currently_watching=totals.present,
            peak_viewers=audience.max_viewers,
            average_watch_duration=max(0, watched_ms) // max(1, totals.attendees) // 1000,
        )

    async def _rows(self, page: Sequence[Attendance], *, with_email: bool) -> Sequence[AttendanceResponse]:
        people = await self._users.find_many([one.user_id for one in page])
        now = self._clock.now()
        return [_row(one, people.get(one.user_id), now, with_email=with_email) for one in page]


def _row(
    attendance: Attendance, person: Person | None, now: datetime, *, with_email: bool
) -> AttendanceResponse:
    return AttendanceResponse(
        id=attendance.id,
        session_id=attendance.session_id,
        user_id=attendance.user_id,
        username=attendance.username or (person.username if person else ""),
        email=person.email if person and with_email else None,
        is_guest=person.is_guest if person else False,
        joined_at=attendance.joined_at,
        left_at=attendance.left_at,
        last_seen_at=attendance.left_at or max(now, attendance.joined_at),
        watch_duration=attendance.watched_seconds(now),
        join_count=attendance.join_count,
    )


REPORTS: Final = web.AppKey("reports", ReportService)
