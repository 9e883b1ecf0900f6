"""What goes into a spreadsheet stays text."""

import pytest

from shared.text import escape_formula


@pytest.mark.parametrize(
    "cell",
    [
        '=HYPERLINK("https://evil.example","x")',
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\uff1d1+1",
        "-",
    ],
)
def test_what_begins_like_a_formula_is_neutralised(cell: str) -> None:
    assert escape_formula(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "Anna", "a=b", "1-2", "'quoted", "somebody@example.com"])
def test_other_text_stays_as_it_is(cell: str) -> None:
    assert escape_formula(cell) == cell
