"""Attendance as a file: everybody who attended, however short, as CSV (RFC 4180), JSON or XLSX."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from xlsxwriter import Workbook

from services.attendance.attendances.repository import AttendanceRepository
from services.attendance.reports.rows import AttendanceRow, AttendanceRows
from services.attendance.sessions.domain import SessionView
from services.attendance.sessions.projection import AttendanceSessionProjection
from shared.access.identity import Caller
from shared.export import Cell, Pages, as_csv, as_json, escape_formulas

_CHUNK = 64 * 1024

COLUMNS: Final = (
    "user_id",
    "username",
    "email",
    "is_guest",
    "joined_at",
    "left_at",
    "last_seen_at",
    "watch_duration",
    "join_count",
)


async def as_xlsx(pages: Pages) -> AsyncGenerator[bytes, None]:
    """A workbook is known only when it is closed, so nothing is yielded before."""
    with TemporaryDirectory(prefix="greenroom-export-") as folder:
        path = Path(folder) / "export.xlsx"
        await _write(path, folder, pages)
        with path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, _CHUNK):
                yield piece


async def _write(path: Path, folder: str, pages: Pages) -> None:
    """`constant_memory` keeps one row in memory; no text becomes a formula or a link."""
    options = {
        "constant_memory": True,
        "tmpdir": folder,
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    workbook = Workbook(str(path), options)
    sheet = workbook.add_worksheet("Attendance")
    sheet.write_row(0, 0, COLUMNS)
    number = 1
    async for page in pages:
        for row in page:
            sheet.write_row(
                number, 0, [escape_formulas(cell) if isinstance(cell, str) else cell for cell in row]
            )
            number += 1
    await asyncio.to_thread(workbook.close)


ExportFormat = Literal["csv", "xlsx", "json"]


class ExportService:
    """`page` is how many attendees are in memory at once."""

    def __init__(
        self,
        sessions: AttendanceSessionProjection,
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
        self,
        session_id: str,
        caller: Caller,
        library_id: str | None,
        format_: ExportFormat,
        *,
        excel: bool = False,
    ) -> AsyncGenerator[bytes, None]:
        """The file's bytes, of which only a page is in memory; `excel` for a CSV file that Excel opens.

        Raises `NotFound`, `Forbidden`.
        """
        session = await self._sessions.authorize(session_id, caller, library_id, "control")
        pages = self._pages(session, caller)
        if format_ == "csv":
            return as_csv(COLUMNS, pages, excel=excel)
        return as_json(COLUMNS, pages) if format_ == "json" else as_xlsx(pages)

    async def _pages(self, session: SessionView, caller: Caller) -> AsyncIterator[list[list[Cell]]]:
        page = await self._attendances.after(session.id, None, self._page)
        while page:
            yield [_cells(row) for row in await self._rows.of(session, page, caller)]
            page = await self._attendances.after(session.id, page[-1], self._page)


def _cells(row: AttendanceRow) -> list[Cell]:
    """A row's values by column, as in JSON: times in RFC 3339, durations in whole seconds."""
    values = row.model_dump(mode="json")
    return [values[column] for column in COLUMNS]
