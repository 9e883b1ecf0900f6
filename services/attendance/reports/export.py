"""Attendance as a file: everybody who was there, however short, row by row."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from typing import Final, Literal

from pydantic import TypeAdapter

from services.attendance.attendances.repository import AttendanceRepository
from services.attendance.reports.formats import COLUMNS, Cell, Pages, as_csv, as_json, as_xlsx
from services.attendance.reports.rows import AttendanceRow, AttendanceRows
from services.attendance.sessions.domain import SessionView
from services.attendance.sessions.service import ProjectedSessions
from shared.access.identity import Caller

ExportFormat = Literal["csv", "xlsx", "json"]

_WRITERS: Final[Mapping[ExportFormat, Callable[[Pages], AsyncGenerator[bytes, None]]]] = {
    "csv": as_csv,
    "xlsx": as_xlsx,
    "json": as_json,
}
_ROW: Final = TypeAdapter(AttendanceRow)


class ExportService:
    """`page` is how many attendees are in memory at once."""

    def __init__(
        self,
        sessions: ProjectedSessions,
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
        self, session_id: str, caller: Caller, library_id: str | None, format_: ExportFormat
    ) -> AsyncGenerator[bytes, None]:
        """The file's bytes, of which only a page is in memory. Raises `NotFound`, `Forbidden`."""
        session = await self._sessions.get_for_host(session_id, caller, library_id)
        return _WRITERS[format_](self._pages(session, caller))

    async def _pages(self, session: SessionView, caller: Caller) -> AsyncIterator[list[list[Cell]]]:
        page = await self._attendances.after(session.id, None, self._page)
        while page:
            yield [_cells(row) for row in await self._rows.of(session, page, caller)]
            page = await self._attendances.after(session.id, page[-1], self._page)


def _cells(row: AttendanceRow) -> list[Cell]:
    """A row's values by column, as in JSON: times in RFC 3339, durations in whole seconds."""
    values = _ROW.dump_python(row, mode="json")
    return [values[column] for column in COLUMNS]
