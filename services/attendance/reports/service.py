"""Reports on who attended, for hosts."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from services.attendance.attendances.domain import attend
from services.attendance.attendances.repository import AttendanceRepository
from services.attendance.presence.repository import PresenceRepository
from services.attendance.reports.rows import AttendanceRow, AttendanceRows
from services.attendance.sessions.projection import AttendanceSessionProjection
from services.attendance.viewer_counts.repository import ViewerCountRepository
from shared.access.identity import Caller
from shared.clock import Clock


@dataclass(frozen=True)
class AttendanceReport:
    """A page of rows; `total` counts the matches, `currently_watching` everybody in the session now."""

    attendance: Sequence[AttendanceRow]
    total: int
    currently_watching: int


class AttendanceStats(BaseModel):
    """`average_watch_duration` in whole seconds over all attendees."""

    model_config = ConfigDict(frozen=True)

    total_attendees: int
    currently_watching: int
    peak_viewers: int
    average_watch_duration: int


class ReportService:
    def __init__(
        self,
        sessions: AttendanceSessionProjection,
        presences: PresenceRepository,
        attendances: AttendanceRepository,
        viewer_counts: ViewerCountRepository,
        rows: AttendanceRows,
        clock: Clock,
    ):
        self._sessions = sessions
        self._presences = presences
        self._attendances = attendances
        self._viewer_counts = viewer_counts
        self._rows = rows
        self._clock = clock

    async def page(
        self,
        session_id: str,
        caller: Caller,
        library_id: str | None,
        name: str | None = None,
        *,
        skip: int,
        limit: int,
    ) -> AttendanceReport:
        """The attendees with `name` in theirs, the first to join first. Raises `NotFound`, `Forbidden`."""
        session = await self._sessions.authorize(session_id, caller, library_id, "control")
        page = await self._attendances.page(session_id, name, skip=skip, limit=limit)
        rows = await self._rows.of(session, page, caller)
        total = await self._attendances.count(session_id, name)
        if session.over:
            return AttendanceReport(rows, total, currently_watching=0)
        watching = await self._presences.count_watching(session_id, without=session.staff)
        return AttendanceReport(rows, total, currently_watching=watching)

    async def stats(self, session_id: str, caller: Caller, library_id: str | None) -> AttendanceStats:
        """Raises `NotFound`, `Forbidden`."""
        session = await self._sessions.authorize(session_id, caller, library_id, "control")
        presences = await self._presences.by_person(session_id, None)
        computed = (attend(user, mine, session) for user, mine in presences.items())
        attendances = [one for one in computed if one is not None]
        now = self._clock.now()
        watched = sum(one.watched_ms_until(now) for one in attendances)
        return AttendanceStats(
            total_attendees=len(attendances),
            currently_watching=sum(one.present for one in attendances),
            peak_viewers=(await self._viewer_counts.seen(session_id)).max_viewers,
            average_watch_duration=watched // 1000 // max(1, len(attendances)),
        )
