"""What goes into a spreadsheet stays text."""

import csv
import io
from collections.abc import AsyncIterator

import pytest

from shared.export import Cell, as_csv, escape_formulas

# What a spreadsheet takes for a formula at the beginning of a cell.
SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
ATTACKS = [
    '=HYPERLINK("https://evil.example","x")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\uff1d1+1",
    "-",
    " =1+1",
    '"=1+1"',
    "Anna;=1+1",
    ";=1+1",
    'Anna;"=1+1"',
    "Anna; =1+1",
    "Anna\n=1+1",
    "Anna\r\n=1+1",
    "Anna\n\n\t@SUM(A1)",
    "Anna\t=1+1",
    "Anna|=1+1",
    'Anna";"=1+1',
    "Anna;;;-1",
]


@pytest.mark.parametrize("cell", ATTACKS)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_NONE])
async def test_whatever_separator_it_is_opened_with_nothing_is_a_formula(
    cell: str, separator: str, quoting: int
) -> None:
    async def pages() -> AsyncIterator[list[list[Cell]]]:
        yield [["id", cell, cell, 7]]

    text = b"".join([piece async for piece in as_csv(["a", "b", "c", "d"], pages())]).decode()
    rows = csv.reader(
        io.StringIO(text, newline=None if quoting == csv.QUOTE_NONE else ""),
        delimiter=separator,
        quoting=quoting,  # type: ignore[arg-type]
    )
    for row in rows:
        for read in row:
            assert not read.lstrip(' "').startswith(SIGNS), read
            assert not read.startswith(("\t", "\r")), read


@pytest.mark.parametrize(
    "cell", ["", "Anna", "a=b", "1-2", "'quoted", "somebody@example.com", "a; b", "one\ntwo", "x;y=z"]
)
def test_other_text_stays_as_it_is(cell: str) -> None:
    assert escape_formulas(cell) == cell


async def test_a_file_for_excel_begins_with_a_byte_order_mark() -> None:
    async def pages() -> AsyncIterator[list[list[Cell]]]:
        yield [["Zoë Иван 山田"]]

    plain = b"".join([piece async for piece in as_csv(["name"], pages())])
    marked = b"".join([piece async for piece in as_csv(["name"], pages(), excel=True)])
    assert marked == b"\xef\xbb\xbf" + plain
    assert next(csv.DictReader(io.StringIO(marked.decode("utf-8-sig"), newline=""))) == {
        "name": "Zoë Иван 山田"
    }
