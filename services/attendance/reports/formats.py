"""Rows as CSV (RFC 4180), as JSON and as an Excel workbook, piece by piece."""

import asyncio
import csv
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import orjson
from xlsxwriter import Workbook

from shared.text import escape_formula

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

Cell = str | int | bool | None
Pages = AsyncIterator[list[list[Cell]]]


async def as_csv(pages: Pages) -> AsyncGenerator[bytes, None]:
    """UTF-8 with a heading; what begins like a formula is escaped."""
    yield _lines([COLUMNS])
    async for page in pages:
        yield _lines([[_text(cell) for cell in row] for row in page])


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    written = StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode()


def _text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else escape_formula(str(cell))


async def as_json(pages: Pages) -> AsyncGenerator[bytes, None]:
    """One array of objects, an object a line; no envelope, and values as they are."""
    separator = b"[\n"
    async for page in pages:
        for row in page:
            yield separator + orjson.dumps(dict(zip(COLUMNS, row, strict=True)))
            separator = b",\n"
    yield b"[]\n" if separator == b"[\n" else b"\n]\n"


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
