"""Every benchmark runs, and its counts are exact; speed is not checked here."""

from math import isfinite

import pytest

from tests.bench import memory
from tests.bench.__main__ import BENCHES
from tests.bench.chart import svg
from tests.bench.rows import Row
from tests.running_stack import RunningStack


@pytest.mark.parametrize("name", BENCHES)
async def test_a_benchmark_measures_what_it_says(running_stack: RunningStack, name: str) -> None:
    rows = await BENCHES[name](running_stack, short=True)
    assert rows
    for row in rows:
        assert row.value > 0 or (row.difference and isfinite(row.value)), row
        assert row.goal is not None, row
        assert row.absolute or (row.ratio is not None and row.ratio > 0), row


def test_memory_is_read_of_every_service(running_stack: RunningStack) -> None:
    assert all(row.value > 0 for row in memory.rows(running_stack))


@pytest.mark.parametrize(
    ("row", "reached"),
    [
        (Row("a rate", 50, "req/s", 100, goal=0.4), True),
        (Row("a rate", 30, "req/s", 100, goal=0.4), False),
        (Row("a time", 250, "ms", 100, goal=3, at_most=True), True),
        (Row("a time", 350, "ms", 100, goal=3, at_most=True), False),
        (Row("a limit", 119, "MB", goal=120, at_most=True, absolute=True), True),
        (Row("no goal", 1, "s"), None),
    ],
)
def test_a_row_knows_whether_its_goal_is_reached(row: Row, reached: bool | None) -> None:
    assert row.reached is reached


def test_the_picture_shows_every_row() -> None:
    rows = [Row("a <rate>", 50, "req/s", 100, goal=0.4), Row("a time", 350, "ms", 100, goal=3, at_most=True)]
    picture = svg("Greenroom", [row.as_json() for row in rows])
    assert "a &lt;rate&gt;" in picture
    assert "a time" in picture
    assert picture.count("<rect") == 1 + 2 * len(rows)
