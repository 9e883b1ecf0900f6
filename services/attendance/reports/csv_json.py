"""Rows as CSV (RFC 4180) and as JSON, piece by piece."""

import csv
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from io import StringIO
from typing import Final

import orjson

from shared.text import escape_formula

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
