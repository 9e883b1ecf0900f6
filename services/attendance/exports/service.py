"""Attendance as a file."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from typing import Final

from aiohttp import web

from services.attendance.attendances.repository import AttendanceRepository
from services.attendance.exports.schemas import Cell, Format, cells
from services.attendance.exports.sheet import as_xlsx
from services.attendance.exports.text import Pages, as_csv, as_json
from services.attendance.reports.access import require_host, sees_emails
from services.attendance.reports.rows import AttendanceRows
from services.attendance.sessions.domain import SessionView
from services.attendance.sessions.service import SessionViews
from shared.access.identity import Caller

CONTENT_TYPES: Final[Mapping[Format, str]] = {
    Format.CSV: "text/csv; charset=utf-8; header=present",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.JSON: "application/json",
}
_WRITERS: Final[Mapping[Format, Callable[[Pages], AsyncGenerator[bytes, None]]]] = {
    Format.CSV: as_csv,
    Format.XLSX: as_xlsx,
    Format.JSON: as_json,
}


class ExportService:
    """`page` is how many attendees are in memory at once."""

    def __init__(
        self,
        sessions: SessionViews,
        attendances: AttendanceRepository,
        rows: AttendanceRows,
        *,
        page: int = 500,
    ):
        self._sessions = sessions
        self._attendances = attendances
        self._rows = rows
        self._page = page

    async def export(
        self, session_id: str, caller: Caller, library_id: str | None, format_: Format
    ) -> AsyncGenerator[bytes, None]:
        """The file's bytes, of which only a page is in memory. Raises `NotFound`, `Forbidden`."""
        session = await self._sessions.get(session_id)
        require_host(session, caller, library_id)
        return _WRITERS[format_](self._pages(session, with_email=sees_emails(session, caller)))

    async def _pages(self, session: SessionView, *, with_email: bool) -> AsyncIterator[list[list[Cell]]]:
        page = await self._attendances.after(session.id, None, self._page)
        while page:
            rows = await self._rows.of(session, page, with_email=with_email)
            yield [cells(row) for row in rows]
            page = await self._attendances.after(session.id, page[-1], self._page)


EXPORTS: Final = web.AppKey("exports", ExportService)
