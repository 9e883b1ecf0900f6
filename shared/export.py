"""Rows as a file, piece by piece: CSV (RFC 4180) that stays text in every spreadsheet, or JSON."""

import codecs
import csv
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from io import StringIO
from typing import TypeAlias

import orjson

Cell: TypeAlias = str | int | bool | None
Pages: TypeAlias = AsyncIterator[Sequence[Sequence[Cell]]]

# A spreadsheet sees a cell begin where the cell begins, and, if it was opened with another separator than the
# comma (semicolons in much of Europe), after each of those and after each line break: quotes in the middle of
# a line mean nothing to it then. The last four signs are full-width forms, which some spreadsheets fold.
_FORMULA = '(?:[^\\S\t\r\n]|")*[=+\\-@\uff1d\uff0b\uff0d\uff20]'
_BEGINNING = re.compile(f"[\t\r\n]|{_FORMULA}")
_WITHIN = re.compile(f"([;|\t\r\n])(?=[\t\r]|{_FORMULA})")


def escape_formulas(cell: str) -> str:
    """`cell` with an apostrophe before everything that a spreadsheet could take for a formula.

    Spreadsheets treat CSV cells that look like a formula as one, even in quotes (OWASP, "CSV Injection"): a
    display name could then read other cells or open a URL.
    """
    start = "'" if _BEGINNING.match(cell) else ""
    return start + _WITHIN.sub(r"\1'", cell)


async def as_csv(columns: Sequence[str], pages: Pages, *, excel: bool = False) -> AsyncGenerator[bytes, None]:
    """UTF-8 with a heading; for Excel with a byte order mark, without which it guesses another encoding."""
    yield (codecs.BOM_UTF8 if excel else b"") + _lines([columns])
    async for page in pages:
        yield _lines([[_text(cell) for cell in row] for row in page])


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    written = StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode()


def _text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else escape_formulas(str(cell))


async def as_json(columns: Sequence[str], pages: Pages) -> AsyncGenerator[bytes, None]:
    """One array of objects, an object a line; no envelope, and values as they are."""
    separator = b"[\n"
    async for page in pages:
        for row in page:
            yield separator + orjson.dumps(dict(zip(columns, row, strict=True)))
            separator = b",\n"
    yield b"[]\n" if separator == b"[\n" else b"\n]\n"
