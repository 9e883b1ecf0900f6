"""Rows as an Excel workbook: written to a file on disk row by row, then sent from there."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from tempfile import TemporaryDirectory

from xlsxwriter import Workbook

from services.attendance.reports.csv_json import COLUMNS, Pages
from shared.text import escape_formula

_CHUNK = 64 * 1024


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
                number, 0, [escape_formula(cell) if isinstance(cell, str) else cell for cell in row]
            )
            number += 1
    await asyncio.to_thread(workbook.close)
