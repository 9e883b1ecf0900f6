"""Reports on who attended, for hosts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from aiohttp import web

from services.attendance.attendances.domain import Attendance, Attendee, attend
from services.attendance.attendances.repository import AttendanceRepository
from services.attendance.audiences.repository import AudienceRepository
from services.attendance.presence.repository import PresenceRepository
from services.attendance.reports.access import require_host
from services.attendance.reports.schemas import (
    AttendanceListResponse,
    AttendanceQuery,
    AttendanceResponse,
    AttendanceStatsResponse,
)
from services.attendance.sessions.domain import SessionView
from services.attendance.sessions.service import SessionViews
from services.attendance.users.repository import Person, UserRepository
from shared.clock import Clock
from shared.identity import Caller


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
        self._users = users
        self._clock = clock

    async def list(
        self, session_id: str, caller: Caller, library_id: str | None, query: AttendanceQuery
    ) -> AttendanceListResponse:
        session = await self._sessions.get(session_id)
        require_host(session, caller, library_id)
        page = await self._attendances.page(session_id, query.q, skip=query.skip, limit=query.limit)
        rows = await self._rows(session, page, with_email=session.organization_id == caller.organization_id)
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

    async def _rows(
        self, session: SessionView, page: Sequence[Attendee], *, with_email: bool
    ) -> Sequence[AttendanceResponse]:
        ids = [one.user_id for one in page]
        people = await self._users.find_many(ids)
        presences = await self._presences.by_person(session.id, frozenset(ids))
        now = self._clock.now()
        rows: list[AttendanceResponse] = []
        for one in page:
            attendance = attend(one.user_id, presences.get(one.user_id, ()), session)
            # Who turns out to be no viewer is taken from the store within a second.
            if attendance is not None:
                rows.append(_row(one, attendance, people.get(one.user_id), now, with_email=with_email))
        return rows


def _row(
    attendee: Attendee, attendance: Attendance, person: Person | None, now: datetime, *, with_email: bool
) -> AttendanceResponse:
    return AttendanceResponse(
        id=attendee.id,
        session_id=attendee.session_id,
        user_id=attendee.user_id,
        username=attendance.username or (person.username if person else ""),
        email=person.email if person and with_email else None,
        is_guest=person.is_guest if person else False,
        joined_at=attendance.joined_at,
        left_at=attendance.left_at,
        last_seen_at=attendance.left_at or max(now, attendance.joined_at),
        watch_duration=attendance.watched_ms_until(now) // 1000,
        join_count=attendance.join_count,
    )


REPORTS: Final = web.AppKey("reports", ReportService)
